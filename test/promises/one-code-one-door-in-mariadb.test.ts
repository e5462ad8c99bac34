// The attack: somebody reads a code over a shoulder, or phishes it, and enters it at the same moment
// as its owner, in many sessions and at many servers, hoping that each server checks before any of
// them has marked it used (Parse Server CVE-2026-33624, Filament CVE-2026-48505).

import { describeOneCodeOneDoor } from '../support/one-code-one-door.js'
import { IN_MARIADB } from '../support/record-places.js'

describeOneCodeOneDoor(IN_MARIADB)
