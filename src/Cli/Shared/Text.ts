/** Pieces of what commands print. */

export const percent = (share: number): string => `${(100 * share).toFixed(2)} %`

/** The command that is running, as results and reports keep it. */
export const commandLine = (): string => ["shakedrop", ...process.argv.slice(2)].join(" ")
