import type { Claims } from '../feature.ts'
import type { User } from './users.ts'

/** OpenID Connect Core 1.0 §5.4; what is not known of a person is left out. */
export const userClaims = (find: (id: string) => Promise<User | undefined>): Claims => ({
  scopes: {
    openid: ['sub'],
    profile: ['name', 'given_name', 'family_name', 'preferred_username', 'locale', 'zoneinfo', 'updated_at'],
    email: ['email', 'email_verified'],
  },

  async claims({ userId, scopes }) {
    const user = await find(userId)
    if (user === undefined) return {}
    return {
      ...(scopes.has('openid') ? { sub: user.id } : {}),
      ...(scopes.has('profile') ? profileOf(user) : {}),
      ...(scopes.has('email') && user.email !== null
        ? { email: user.email, email_verified: user.emailVerified }
        : {}),
    }
  },
})

const profileOf = (user: User): Readonly<Record<string, unknown>> => ({
  ...(user.name === null ? {} : { name: user.name }),
  ...(user.givenName === null ? {} : { given_name: user.givenName }),
  ...(user.familyName === null ? {} : { family_name: user.familyName }),
  ...(user.username === null ? {} : { preferred_username: user.username }),
  ...(user.locale === null ? {} : { locale: user.locale }),
  ...(user.zoneinfo === null ? {} : { zoneinfo: user.zoneinfo }),
  updated_at: Math.floor(user.updatedAt.getTime() / 1000),
})
