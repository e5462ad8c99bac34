import { fileURLToPath } from 'node:url'
import express, { type Router } from 'express'
import { packageFile } from '../../text/package-files.js'
import type { Site } from '../request/site.js'
import { formAddress } from '../routing/form-address.js'
import {
  codeOrSignedIn,
  enrolled,
  nothing,
  pendingCode,
  setUp,
  setUpOrCodesShown,
  signedIn,
} from '../routing/requirements.js'
import { setSafeHeaders } from '../routing/respond.js'
import { route, routerOf } from '../routing/routes.js'
import { undecodablePath } from '../routing/undecodable-path.js'
import { addAuthenticator, removeAuthenticator, renameAuthenticator } from './authenticators.js'
import { backupCodesSaved, makeBackupCodes } from './backup-codes.js'
import { cancel } from './cancel.js'
import { answerChallenge, showChallenge } from './challenge.js'
import { answerFresh, showFresh } from './fresh.js'
import { changeKey, showKey } from './key.js'
import { askLost, cancelLost, showLost } from './lost.js'
import {
  cancelLostLink,
  pressLostLink,
  showCancelledLink,
  showLostCancelled,
  showLostLink,
} from './lost-link.js'
import { disable, reset } from './reset.js'
import { resync } from './resync.js'
import { showSettings } from './settings.js'
import { confirmSetup, showSetup } from './setup.js'
import { forgetTrustedBrowser, forgetTrustedBrowsers } from './trusted-browsers.js'

/** The contents page: every route of the user router, its requirement, and its handler. */
const routes = [
  route('get', '/', signedIn, showSettings),
  route('get', '/challenge', pendingCode, showChallenge),
  route('post', '/challenge', pendingCode, answerChallenge),
  route('get', '/cancel', nothing, formAddress),
  route('post', '/cancel', nothing, cancel),
  route('get', '/fresh', enrolled, showFresh),
  route('post', '/fresh', enrolled, answerFresh),
  route('get', '/setup', setUp, showSetup),
  route('post', '/setup', setUpOrCodesShown, confirmSetup),
  route('get', '/change-key', nothing, formAddress),
  route('post', '/change-key', enrolled, changeKey),
  route('get', '/show-key', nothing, formAddress),
  route('post', '/show-key', enrolled, showKey),
  route('get', '/authenticators', nothing, formAddress),
  route('post', '/authenticators', enrolled, addAuthenticator),
  route('get', '/authenticators/:id/rename', nothing, formAddress),
  route('post', '/authenticators/:id/rename', signedIn, renameAuthenticator),
  route('get', '/authenticators/:id/remove', nothing, formAddress),
  route('post', '/authenticators/:id/remove', enrolled, removeAuthenticator),
  route('get', '/backup-codes', nothing, formAddress),
  route('post', '/backup-codes', enrolled, makeBackupCodes),
  route('get', '/backup-codes/saved', nothing, formAddress),
  route('post', '/backup-codes/saved', signedIn, backupCodesSaved),
  route('get', '/trusted-browsers/forget-all', nothing, formAddress),
  route('post', '/trusted-browsers/forget-all', signedIn, forgetTrustedBrowsers),
  route('get', '/trusted-browsers/:id/forget', nothing, formAddress),
  route('post', '/trusted-browsers/:id/forget', signedIn, forgetTrustedBrowser),
  route('get', '/reset', nothing, formAddress),
  route('post', '/reset', enrolled, reset),
  route('get', '/disable', nothing, formAddress),
  route('post', '/disable', enrolled, disable),
  route('get', '/resync', nothing, formAddress),
  route('post', '/resync', codeOrSignedIn, resync),
  route('get', '/lost', pendingCode, showLost),
  route('post', '/lost', pendingCode, askLost),
  route('get', '/lost/cancel', nothing, formAddress),
  route('post', '/lost/cancel', codeOrSignedIn, cancelLost),
  route('get', '/lost/cancelled', nothing, showLostCancelled),
  route('get', '/lost/:token', nothing, showLostLink),
  route('post', '/lost/:token', nothing, pressLostLink),
  route('get', '/lost/:token/cancel', nothing, showCancelledLink),
  route('post', '/lost/:token/cancel', nothing, cancelLostLink),
] as const

const ASSETS = fileURLToPath(packageFile('views/assets'))

/** The user router, to be mounted at `paths.secondStep`. */
export function router(site: Site): Router {
  // Keeps serve-static from answering by itself (redirects, refused ranges), because such answers
  // lack our headers.
  const own = { index: false, redirect: false, acceptRanges: false }
  const assets = express.static(ASSETS, { ...own, setHeaders: setSafeHeaders })
  const made = routerOf(site, { call: 'router()', path: 'secondStep' }, routes, (before) => {
    before.use('/assets', assets)
  })
  made.use(undecodablePath(site))
  return made
}
