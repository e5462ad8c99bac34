/** How long a challenge may be answered, in milliseconds. */
export const CHALLENGE_LASTS = 5 * 60 * 1000
