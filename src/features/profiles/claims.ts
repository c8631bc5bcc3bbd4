import type { Claims } from '../feature.ts'
import type { FieldValues, ProfileField } from './fields.ts'
import type { Profile } from './store.ts'

export interface ClaimSources {
  readonly fields: readonly ProfileField[]
  readonly get: (userId: string) => Promise<Profile>
  /** The whole address of a picture. */
  readonly pictureUrl: (pictureId: string) => string
}

type Values = Readonly<Record<string, unknown>>

/** The claims of OpenID Connect Core 1.0 §5.1 that are no part of the user, and fields of somebody's own, by §5.4. */
export function profileClaims({ fields, get, pictureUrl }: ClaimSources): Claims {
  const names = (scope: ProfileField['scope']): readonly string[] =>
    fields.filter((field) => field.scope === scope).map(({ name }) => name)
  const [ofProfile, ofPhone, ofAddress] = [names('profile'), names('phone'), names('address')]
  const told = (values: FieldValues, of: readonly string[]): Values =>
    Object.fromEntries(of.flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]]])))

  return {
    scopes: {
      profile: ['picture', ...ofProfile],
      ...(ofPhone.length > 0 && { phone: ['phone_number', 'phone_number_verified'] }),
      ...(ofAddress.length > 0 && { address: ['address'] }),
    },

    async claims({ userId, scopes }) {
      if (!scopes.has('profile') && !scopes.has('phone') && !scopes.has('address')) return {}
      const { fields: values, pictureId } = await get(userId)
      return {
        ...(scopes.has('profile') && told(values, ofProfile)),
        ...(scopes.has('profile') && pictureId !== undefined && { picture: pictureUrl(pictureId) }),
        ...(scopes.has('phone') && phoneOf(told(values, ofPhone))),
        ...(scopes.has('address') && addressOf(told(values, ofAddress))),
      }
    },
  }
}

/** Nobody has called the number, and whoever receives it should know. */
const phoneOf = (values: Values): Values =>
  values.phone_number === undefined ? {} : { ...values, phone_number_verified: false }

/** §5.1.1: the whole of it, as it is written on an envelope. */
const addressOf = ({ address }: Values): Values =>
  address === undefined ? {} : { address: { formatted: address } }
