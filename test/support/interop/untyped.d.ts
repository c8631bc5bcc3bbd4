/** What the applications use of two packages that bring no types. */
declare module 'passport' {
  import type { RequestHandler } from 'express'

  type Done = (error: unknown, value?: unknown) => void

  interface Passport {
    use(strategy: object): Passport
    serializeUser(serialize: (user: unknown, done: Done) => void): void
    deserializeUser(deserialize: (stored: unknown, done: Done) => void): void
    session(): RequestHandler
    authenticate(name: string): RequestHandler
  }

  const passport: { readonly Passport: new () => Passport }
  // biome-ignore lint/style/noDefaultExport: it is how the package exports
  export default passport
}

declare module 'express-session' {
  import type { RequestHandler } from 'express'

  interface SessionOptions {
    readonly secret: string
    readonly resave: boolean
    readonly saveUninitialized: boolean
  }

  // biome-ignore lint/style/noDefaultExport: it is how the package exports
  export default function session(options: SessionOptions): RequestHandler
}
