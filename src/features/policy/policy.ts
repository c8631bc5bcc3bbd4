import { highest, type Level } from '../../kernel/levels.ts'

/** Why something must be proven: which rule asks for which level. */
export interface Reason {
  readonly rule: 'everyone' | 'administrators' | 'client' | 'request'
  readonly level: Level
}

/** What a sign-in must prove, and which rules say so. */
export interface Demands {
  /** Of the client and of the request: nothing stands in for it. */
  readonly strict: Level
  /** Of the server, for everybody or for administrators. */
  readonly standing: Level
  /** Every rule that holds, the strictest first. */
  readonly reasons: readonly Reason[]
}

/** Of whom and for what a sign-in is. */
export interface Subject {
  readonly administrator: boolean
  /** What the client requires; nothing of its own where absent. */
  readonly client?: Level | undefined
  /** The levels that the request would be content with (`acr_values`, the `acr` of the claims parameter). */
  readonly requested: readonly Level[]
}

/** The server’s own. */
export interface Rules {
  readonly everyone: Level
  readonly administrators: Level
}

/** What must be proven. Of several levels that a request names, the least will do (OpenID Connect Core 1.0 §3.1.2.1). */
export function demandsOf(rules: Rules, { administrator, client, requested }: Subject): Demands {
  const request = leastOf(requested)
  const reasons: readonly Reason[] = [
    { rule: 'everyone', level: rules.everyone },
    ...(administrator ? [{ rule: 'administrators', level: rules.administrators } as const] : []),
    ...(client === undefined ? [] : [{ rule: 'client', level: client } as const]),
    ...(request === undefined ? [] : [{ rule: 'request', level: request } as const]),
  ]
  const of = (...wanted: readonly Reason['rule'][]): Level =>
    highest(reasons.filter(({ rule }) => wanted.includes(rule)).map(({ level }) => level))
  return {
    strict: of('client', 'request'),
    standing: of('everyone', 'administrators'),
    reasons: reasons.toSorted((a, b) => rank(b.level) - rank(a.level)),
  }
}

const rank = (level: Level): number => ['single-factor', 'multi-factor', 'phishing-resistant'].indexOf(level)

const leastOf = (wanted: readonly Level[]): Level | undefined =>
  wanted.toSorted((a, b) => rank(a) - rank(b))[0]

/** One rule in words, for the audit and the command line. */
export function reasonText({ rule, level }: Reason): string {
  const who = {
    everyone: 'the server, of everyone',
    administrators: 'the server, of administrators',
    client: 'the client',
    request: 'the request (acr)',
  }[rule]
  return `${level}: ${who}`
}
