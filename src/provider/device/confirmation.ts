import { type Interaction, interactionPolicy, type KoaContextWithOIDC, type Provider } from 'oidc-provider'
import type { DeviceFacts } from './ports.ts'

const { Check } = interactionPolicy

export const deviceConfirmationReason = 'device_confirmation'

/** What waits for an approval, as far as is known of it. */
export interface WaitingDevice extends DeviceFacts {
  /** As the device shows it. */
  readonly userCode: string
  readonly startedAt: Date
  /** Its application is the operator's own. */
  readonly firstParty: boolean
}

/** Whoever holds a device is not seen, so each one is approved by hand, our own applications' included (RFC 8628 §5.4). */
export const deviceConfirmation = (): InstanceType<typeof Check> =>
  new Check(
    deviceConfirmationReason,
    'a device needs the approval of its person',
    'interaction_required',
    ({ oidc }: KoaContextWithOIDC) =>
      oidc.deviceCode !== undefined && oidc.result?.consent === undefined
        ? Check.REQUEST_PROMPT
        : Check.NO_NEED_TO_PROMPT,
  )

/** The device about which an interaction is; `undefined` where it is about none, or its code is gone. */
export async function waitingDevice(
  provider: Provider,
  { deviceCode }: Interaction,
): Promise<WaitingDevice | undefined> {
  if (deviceCode === undefined) return undefined
  const code = await provider.DeviceCode.find(deviceCode, { ignoreExpiration: true })
  if (code?.clientId === undefined) return undefined
  const client = await provider.Client.find(code.clientId)
  const { address = '', userAgent = '' } = (code.deviceInfo ?? {}) as Partial<DeviceFacts>
  return {
    userCode: written(code.userCode),
    startedAt: new Date(code.iat * 1000),
    firstParty: client?.first_party === true,
    address,
    userAgent,
  }
}

/** A code in the form in which devices show it. */
export const written = (userCode: string): string => `${userCode.slice(0, 4)}-${userCode.slice(4)}`
