/** The command that is running, as results and reports keep it. */
export const commandLine = (): string => ["shakedrop", ...process.argv.slice(2)].join(" ")
