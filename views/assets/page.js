// Comfort only: every page works without it.

// A second click would send the code again, and the answer to that would be "wrong code".
const SECONDS_UNTIL_NEXT = 3
const sentAt = new WeakMap()
document.addEventListener('submit', (event) => {
  const now = Date.now()
  const earlier = sentAt.get(event.target) ?? 0
  if (now - earlier < SECONDS_UNTIL_NEXT * 1000) event.preventDefault()
  else sentAt.set(event.target, now)
})

// A browser that keeps whole pages for its back button would show codes and keys again.
window.addEventListener('pagehide', (event) => {
  if (event.persisted) document.querySelector('main').hidden = true
})
window.addEventListener('pageshow', (event) => {
  if (event.persisted) location.replace(document.body.dataset.back ?? location.href)
})

for (const button of document.querySelectorAll('[data-print]')) {
  button.hidden = false
  button.addEventListener('click', () => window.print())
}

for (const button of document.querySelectorAll('[data-copy]')) {
  // Browsers have it on secure origins alone.
  if (navigator.clipboard === undefined) continue
  button.hidden = false
  const said = document.createElement('span')
  said.className = 'copied'
  said.setAttribute('role', 'status')
  button.after(said)
  button.addEventListener('click', async () => {
    const shown = document.getElementById(button.dataset.copy).textContent
    const text = shown.replace(/ +/g, '').replace(/\n+/g, '\n').trim()
    const copied = await navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    )
    said.classList.toggle('refused', !copied)
    said.textContent = copied ? button.dataset.copied : button.dataset.notCopied
  })
}

// Moments are written in UTC; the visitor's own zone, and country, are known here alone.
const lang = document.documentElement.lang
const region = navigator.languages.find((each) => each.startsWith(`${lang}-`)) ?? lang
const SHAPES = {
  long: { dateStyle: 'long', timeStyle: 'short' },
  medium: { dateStyle: 'medium', timeStyle: 'short' },
  date: { dateStyle: 'long' },
  day: { dateStyle: 'medium' },
}
// In a list of this year's moments the year is the longest word and says nothing.
const THIS_YEAR = { month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit' }
const isOfThisYear = (date) => date.getFullYear() === new Date().getFullYear()
for (const moment of document.querySelectorAll('time[data-local]')) {
  const { local } = moment.dataset
  const date = new Date(moment.dateTime)
  const format = local === 'medium' && isOfThisYear(date) ? THIS_YEAR : SHAPES[local]
  moment.textContent = date.toLocaleString(region, format)
}

// What is true for some seconds only.
for (const passing of document.querySelectorAll('[data-for-seconds]')) {
  setTimeout(() => passing.remove(), Number(passing.dataset.forSeconds) * 1000)
}

// The server's time goes on, as the visitor's device would show it.
for (const clock of document.querySelectorAll('[data-clock]')) {
  const began = Date.parse(clock.dateTime) - performance.now()
  const show = () => {
    clock.textContent = new Date(began + performance.now()).toLocaleTimeString()
  }
  show()
  setInterval(show, 1000)
}
