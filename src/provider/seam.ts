/**
 * The one place that reaches inside `oidc-provider`: what the library's own grants are made of, for those it lacks. It
 * promises nothing about these, so its version is pinned and the tests of the grants tell when they have changed.
 */
export {
  applyAuthorizationDetails,
  buildTokenResponse,
  checkDpopReplay,
  checkDpopRequired,
  checkMtlsCert,
  findAccount,
  resolveRequestedResources,
  validateClientScope,
  validateDpop,
} from 'oidc-provider/lib/helpers/grants.js'
