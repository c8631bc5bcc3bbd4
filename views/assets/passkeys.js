const decode = (text) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (byte) => byte.charCodeAt(0))
const encode = (buffer) =>
  btoa(Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join(''))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')

// Older browsers lack parseCreationOptionsFromJSON and toJSON, and some managers of passwords replace them badly.
function optionsIn(text) {
  const options = JSON.parse(text)
  options.challenge = decode(options.challenge)
  if (options.user) options.user.id = decode(options.user.id)
  for (const each of [...(options.allowCredentials ?? []), ...(options.excludeCredentials ?? [])])
    each.id = decode(each.id)
  return options
}

function written({ id, type, response }) {
  const fields = {}
  for (const name of ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle'])
    if (response[name]) fields[name] = encode(response[name])
  if (response.getTransports) fields.transports = response.getTransports()
  return JSON.stringify({ id, type, response: fields })
}

const words = { InvalidStateError: 'here-already', SecurityError: 'unable', NotSupportedError: 'unable' }

async function open(place) {
  const { passkey: ceremony, options, autofill } = place.dataset
  const form = place.closest('form')
  const part = (name) => place.querySelector(`[data-part="${name}"]`)
  const button = part('start')
  const say = (name) => {
    for (const each of place.querySelectorAll('[data-says]')) each.hidden = each.dataset.says !== name
  }
  let waiting

  async function ask(mediation) {
    waiting?.abort()
    waiting = new AbortController()
    const { signal } = waiting
    const wish = { publicKey: optionsIn(options), signal, ...(mediation && { mediation }) }
    try {
      place.querySelector('[name="credential"]').value = written(await navigator.credentials[ceremony](wish))
      form.requestSubmit()
    } catch (error) {
      if (signal.aborted || mediation) return
      say(words[error.name] ?? 'stopped')
      button.removeAttribute('aria-busy')
      await suggest()
    }
  }

  // Not on the page that refused one: what answers by itself would be refused for ever.
  async function suggest() {
    if (autofill === undefined || form.action === location.href) return
    if (await PublicKeyCredential.isConditionalMediationAvailable?.()) await ask('conditional')
  }

  if (!globalThis.PublicKeyCredential) return autofill === undefined && say('unable')
  button.hidden = false
  if (button.autofocus) button.focus()
  button.addEventListener('click', () => {
    say()
    button.setAttribute('aria-busy', 'true')
    void ask()
  })
  await suggest()
}

for (const place of document.querySelectorAll('[data-passkey]')) void open(place)

const list = document.querySelector('[data-passkey-signal]')
if (list)
  void globalThis.PublicKeyCredential?.signalAllAcceptedCredentials?.(
    JSON.parse(list.dataset.passkeySignal),
  ).catch(() => {})

// The offer of a passkey is made to those alone whose browser can make one.
if (await globalThis.PublicKeyCredential?.isUserVerifyingPlatformAuthenticatorAvailable?.())
  for (const form of document.querySelectorAll('form[data-able]'))
    form.append(
      Object.assign(document.createElement('input'), { type: 'hidden', name: 'able', value: 'passkeys' }),
    )
