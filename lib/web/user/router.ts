import { fileURLToPath } from 'node:url'
import express, { type Router } from 'express'
import { packageFile } from '../../text/package-files.js'
import type { Handler } from '../request/handler.js'
import type { Site } from '../request/site.js'
import type { Visitor } from '../request/visitor.js'
import { formAddress } from '../routing/form-address.js'
import {
  codeOrSignedIn,
  enrolled,
  nothing,
  pendingCode,
  pendingCodeOrUnasked,
  type Requirement,
  setUp,
  setUpOrCodesShown,
  signedIn,
} from '../routing/requirements.js'
import { setSafeHeaders } from '../routing/respond.js'
import { type Route, route, routerOf } from '../routing/routes.js'
import { byRulesOfNow } from '../routing/rules-of-now.js'
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
  sent('/challenge', pendingCode, answerChallenge),
  route('get', '/cancel', nothing, formAddress),
  route('post', '/cancel', nothing, cancel),
  route('get', '/fresh', enrolled, showFresh),
  sent('/fresh', enrolled, answerFresh),
  route('get', '/setup', setUp, showSetup),
  sent('/setup', setUpOrCodesShown, confirmSetup),
  route('get', '/change-key', nothing, formAddress),
  sent('/change-key', enrolled, changeKey),
  route('get', '/show-key', nothing, formAddress),
  sent('/show-key', enrolled, showKey),
  route('get', '/authenticators', nothing, formAddress),
  sent('/authenticators', enrolled, addAuthenticator),
  route('get', '/authenticators/:id/rename', nothing, formAddress),
  sent('/authenticators/:id/rename', signedIn, renameAuthenticator),
  route('get', '/authenticators/:id/remove', nothing, formAddress),
  sent('/authenticators/:id/remove', enrolled, removeAuthenticator),
  route('get', '/backup-codes', nothing, formAddress),
  sent('/backup-codes', enrolled, makeBackupCodes),
  route('get', '/backup-codes/saved', nothing, formAddress),
  sent('/backup-codes/saved', signedIn, backupCodesSaved),
  route('get', '/trusted-browsers/forget-all', nothing, formAddress),
  sent('/trusted-browsers/forget-all', signedIn, forgetTrustedBrowsers),
  route('get', '/trusted-browsers/:id/forget', nothing, formAddress),
  sent('/trusted-browsers/:id/forget', signedIn, forgetTrustedBrowser),
  route('get', '/reset', nothing, formAddress),
  sent('/reset', enrolled, reset),
  route('get', '/disable', nothing, formAddress),
  sent('/disable', enrolled, disable),
  route('get', '/resync', nothing, formAddress),
  sent('/resync', codeOrSignedIn, resync),
  route('get', '/lost', pendingCodeOrUnasked, showLost),
  sent('/lost', pendingCodeOrUnasked, askLost),
  route('get', '/lost/cancel', nothing, formAddress),
  sent('/lost/cancel', codeOrSignedIn, cancelLost),
  route('get', '/lost/cancelled', nothing, showLostCancelled),
  route('get', '/lost/:token', nothing, showLostLink),
  sent('/lost/:token', nothing, pressLostLink),
  route('get', '/lost/:token/cancel', nothing, showCancelledLink),
  route('post', '/lost/:token/cancel', nothing, cancelLostLink),
] as const

/** A form is answered by the rules of the moment in which its body is there. */
function sent<V extends Visitor>(path: string, need: Requirement<V>, handler: Handler<V>): Route {
  return route('post', path, need, byRulesOfNow(need, handler))
}

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
