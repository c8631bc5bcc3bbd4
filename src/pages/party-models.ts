/** A person as the pages show them: name first, then whichever of e-mail address and user name is known. */
export interface AccountView {
  readonly name?: string
  readonly email?: string
  readonly username?: string
}

/** A client as the person sees it; links that are not http(s) are left out of the page. */
export interface ClientView {
  readonly name: string
  readonly logoUri?: string
  readonly clientUri?: string
  readonly policyUri?: string
  readonly tosUri?: string
  /** It is what it says itself; no administrator has made it. */
  readonly unchecked?: boolean
}

/** A scope with its own words; the standard OpenID Connect scopes are described by message files instead. */
export interface ScopeView {
  readonly name: string
  readonly description?: string
}
