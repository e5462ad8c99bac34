// The attack: somebody reads a code over a shoulder, or phishes it, and enters it at the same moment
// as its owner, in many sessions and at many servers, hoping that each server checks before any of
// them has marked it used (Parse Server CVE-2026-33624, Filament CVE-2026-48505). Or somebody in the middle sends
// one signature of a key on many times, also in sessions that were copied with its challenge.

import { describeOneCodeOneDoor } from '../support/one-code-one-door.js'
import { IN_REDIS } from '../support/record-places.js'

describeOneCodeOneDoor(IN_REDIS, { signatures: true })
