import type { SettingValues } from '../../kernel/settings.ts'
import { profileOf, responseTypesOf } from './profile-effect.ts'
import { profiles, type ResponseType, responseTypes, type SecurityProfile } from './profiles.ts'
import type { Protocol } from './protocol/protocol.ts'
import type { settings } from './settings.ts'

/** The security profiles as this server allows them. */
export interface AllowedProfiles {
  /** `undefined` for one that the server does not allow, or that there is not. */
  find(name: string): SecurityProfile | undefined
  /** Whether the server allows the client its profile and response types. */
  permits(client: Protocol): boolean
  /** Every response type that some client of this server may have. */
  readonly responseTypes: readonly ResponseType[]
}

export function allowedProfiles({
  allowLegacy,
  allowHybrid,
}: SettingValues<typeof settings>): AllowedProfiles {
  const { legacy, 'fapi-1-advanced': fapi1, ...others } = profiles
  const { 'code id_token': _hybrid, ...withoutHybrid } = fapi1.responses
  const allowed: Readonly<Record<string, SecurityProfile>> = {
    ...others,
    'fapi-1-advanced': allowHybrid ? fapi1 : { ...fapi1, responses: withoutHybrid },
    ...(allowLegacy && { legacy }),
  }
  const offered = new Set(Object.values(allowed).flatMap(({ responses }) => Object.keys(responses)))
  const find = (name: string): SecurityProfile | undefined =>
    Object.hasOwn(allowed, name) ? allowed[name] : undefined
  return {
    find,
    permits(client) {
      const responses = find(profileOf(client).name)?.responses
      return responses !== undefined && responseTypesOf(client).every((type) => responses[type] !== undefined)
    },
    responseTypes: responseTypes.filter((type) => offered.has(type)),
  }
}
