/** The forms of a report of findings; apart from the reports themselves, so that options load quickly. */

export const REPORT_FORMATS = ["text", "json", "sarif", "github"] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];
