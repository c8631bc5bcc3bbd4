import type { Context } from 'koa'
import type { RequestFacts } from '../../kernel/http.ts'

/** What the device authorization grant needs of the rest of the house. */
export interface DevicePorts {
  readonly pages: DevicePages
  /** The token of forms for this browser, which the form with a code sends back as `xsrf`. */
  formToken(ctx: Context): string
  /**
   * Counts an attempt to find a code before it is looked up. Throws `throttle.too_many_attempts` (429). Who guesses is
   * counted; a code that was there takes its own count back and no other, since anybody can get a code of his own.
   */
  admit(ctx: Context, userId: string | undefined): Promise<{ withdraw(): Promise<void> }>
  /** Somebody decided about a device. */
  answered(ctx: Context, answer: DeviceAnswer): Promise<void>
}

export interface DeviceAnswer {
  readonly approved: boolean
  readonly userId: string | undefined
  readonly clientId: string | undefined
  /** What the device's own request told of it. */
  readonly device: DeviceFacts | undefined
}

/** The device as its request for a code showed it. */
export type DeviceFacts = Pick<RequestFacts, 'address' | 'userAgent'>

/** Why a code leads nowhere. */
export type CodeProblem = 'missing' | 'unknown' | 'expired' | 'used' | 'stale' | 'too_many'

export interface DevicePages {
  /** The form for a code, with what was wrong with the one that was sent. */
  enter(
    ctx: Context,
    page: { readonly problem: CodeProblem; readonly code: string; readonly minutes?: number },
  ): string
  approved(ctx: Context, page: { readonly client: NamedClient | undefined }): string
  denied(ctx: Context, page: { readonly client: NamedClient | undefined }): string
}

interface NamedClient {
  readonly name: string
}
