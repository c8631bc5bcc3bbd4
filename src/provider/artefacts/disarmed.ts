import type { Sealing } from '../../kernel/sealing.ts'
import type { Payload } from './payload.ts'

const identifierPlace = '{uid}'

/**
 * An interaction as it is stored. The library puts bearer values of others into it: the session's cookie (never read
 * again), its own identifier in the address it returns to, that of a pushed request and that of a device code. None stays readable.
 */
export function disarmed(
  payload: Payload,
  id: string,
  { sealing, row }: { readonly sealing: Sealing; readonly row: string },
): Payload {
  const { session, returnTo, parJti, deviceCode, ...rest } = payload
  return {
    ...rest,
    ...(typeof returnTo === 'string' ? { returnTo: returnTo.replaceAll(id, identifierPlace) } : undefined),
    ...(session === undefined ? undefined : { session: { ...(session as Payload), cookie: undefined } }),
    ...(typeof parJti === 'string' ? { parJti: sealing.seal(parJti, `${row}.parJti`) } : undefined),
    ...(typeof deviceCode === 'string'
      ? { deviceCode: sealing.seal(deviceCode, `${row}.deviceCode`) }
      : undefined),
  }
}

/** The interaction as the library knows it. */
export function armed(
  payload: Payload,
  id: string,
  { sealing, row }: { readonly sealing: Sealing; readonly row: string },
): Payload {
  const { returnTo, parJti, deviceCode } = payload
  return {
    ...payload,
    ...(typeof returnTo === 'string' ? { returnTo: returnTo.replaceAll(identifierPlace, id) } : undefined),
    ...(typeof parJti === 'string' ? { parJti: sealing.open(parJti, `${row}.parJti`) } : undefined),
    ...(typeof deviceCode === 'string'
      ? { deviceCode: sealing.open(deviceCode, `${row}.deviceCode`) }
      : undefined),
  }
}
