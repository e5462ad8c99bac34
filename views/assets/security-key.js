// Asks a security key or passkey, and sends its answer with the form that the button is in.

const fromBase64 = (text) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (each) =>
    each.charCodeAt(0),
  )
const toBase64 = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')

const withBytes = (key) => ({ ...key, id: fromBase64(key.id) })

// Browsers read and write this JSON by themselves only since 2024 and 2025.
function publicKeyOf(options) {
  const { challenge, user, allowCredentials, excludeCredentials } = options
  return {
    ...options,
    challenge: fromBase64(challenge),
    ...(user ? { user: withBytes(user) } : {}),
    ...(allowCredentials ? { allowCredentials: allowCredentials.map(withBytes) } : {}),
    ...(excludeCredentials ? { excludeCredentials: excludeCredentials.map(withBytes) } : {}),
  }
}

function answerOf({ id, type, authenticatorAttachment, response }) {
  const bytes = [
    'clientDataJSON',
    'attestationObject',
    'authenticatorData',
    'signature',
    'userHandle',
  ]
  const isNew = response.attestationObject !== undefined
  // A new key's data stands in its attestation already.
  const sent = bytes.filter((name) => response[name] && !(isNew && name === 'authenticatorData'))
  return {
    id,
    rawId: id,
    type,
    ...(authenticatorAttachment ? { authenticatorAttachment } : {}),
    clientExtensionResults: {},
    response: {
      ...Object.fromEntries(sent.map((name) => [name, toBase64(response[name])])),
      ...(isNew ? { transports: response.getTransports?.() ?? [] } : {}),
    },
  }
}

// What went wrong, by the names that browsers give it.
const SAID = { NotAllowedError: 'cancelled', AbortError: 'cancelled', InvalidStateError: 'known' }

// What the server asks of a key; null: nothing. Undefined where it can't be reached.
async function askedBy(from) {
  try {
    const response = await fetch(from, { headers: { Accept: 'application/json' } })
    if (!response.ok) return null
    const { options, webauthn } = await response.json()
    return options ?? webauthn ?? null
  } catch {
    return undefined
  }
}

async function answerTo(asked, kind) {
  const credential = await navigator.credentials[kind]({ publicKey: publicKeyOf(asked) })
  return JSON.stringify(answerOf(credential))
}

for (const button of document.querySelectorAll('[data-key]')) {
  const { form, dataset, nextElementSibling: status } = button
  const say = (text) => {
    status.textContent = text
  }
  const send = (answer) => {
    form.elements.credential.value = answer
    // The box of a page that also takes codes stands for either way.
    document.querySelector('[name="trust"][form]')?.setAttribute('form', form.id)
    form.requestSubmit()
  }
  button.hidden = false
  button.addEventListener('click', async () => {
    // A name that is too long, for example.
    if (!form.reportValidity()) return
    if (!navigator.credentials) return say(dataset.unsupported)
    button.disabled = true
    say(dataset.waiting)
    try {
      const asked = await askedBy(dataset.from)
      // The session is over, or the key is gone: the page says so itself. A reload would send again the form
      // that this page answers.
      if (asked === null) location.replace(location.pathname + location.search)
      else if (asked === undefined) say(dataset.offline)
      else send(await answerTo(asked, dataset.key))
    } catch (error) {
      say(dataset[SAID[error.name] ?? 'unsupported'])
    }
    button.disabled = false
  })
}
