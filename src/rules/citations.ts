/**
 * The public documents that a rule may cite, so that a citation can be checked by anyone. Documents that are
 * restricted or shared in confidence are not here and never will be.
 */

export interface PublicDocument {
  readonly issuer: string;
  /** Short title. */
  readonly title: string;
  /** Of publication: `yyyy`, `yyyy-MM` or `yyyy-MM-dd`, as far as it is known; empty when it is not. */
  readonly date: string;
}

const FINCEN = "Financial Crimes Enforcement Network";
const FINTRAC = "Financial Transactions and Reports Analysis Centre of Canada";
const FATF = "Financial Action Task Force";
const UNSC = "United Nations Security Council";

type Row = readonly [id: string, issuer: string, title: string, date: string];

/** Where an issuer gives no number of its own, the id is issuer, year and subject, such as FINTRAC-2025-OCSE. */
const ROWS: readonly Row[] = [
  [
    "FIN-2014-A008",
    FINCEN,
    "Recognizing activity that may be associated with human smuggling and human trafficking",
    "2014-09-11",
  ],
  ["FIN-2020-A008", FINCEN, "Supplemental advisory on identifying and reporting human trafficking", "2020-10-15"],
  ["FIN-2023-Alert001", FINCEN, "Alert on human smuggling along the southwest border", "2023-01-13"],
  ["FIN-2021-NTC3", FINCEN, "Notice on online child sexual exploitation", "2021-09-16"],
  ["FIN-2025-NTC2", FINCEN, "Notice on financially motivated sextortion", "2025-09-08"],
  [
    "FINTRAC-2016-OA003",
    FINTRAC,
    "Indicators of money laundering of the proceeds of human trafficking (Project Protect)",
    "2016-12-15",
  ],
  [
    "FINTRAC-2021-OA001",
    FINTRAC,
    "Updated indicators: laundering of proceeds from human trafficking for sexual exploitation",
    "2021-07",
  ],
  [
    "FINTRAC-2025-OCSE",
    FINTRAC,
    "Laundering the proceeds of online child sexual exploitation (Project Shadow)",
    "2025-11",
  ],
  ["FATF-2018-HT", FATF, "Financial flows from human trafficking", "2018-07"],
  [
    "FATF-2022-SMUGGLING",
    FATF,
    "Money laundering and terrorist financing risks arising from migrant smuggling",
    "2022-03",
  ],
  ["FATF-2025-OCSE", FATF, "Detecting, disrupting and investigating online child sexual exploitation", "2025-03"],
  [
    "EGMONT-2020-CSAE",
    "Egmont Group",
    "Combatting online child sexual abuse and exploitation through financial intelligence",
    "2020-07",
  ],
  [
    "AUSTRAC-2022-SERVITUDE",
    "AUSTRAC Fintel Alliance",
    "Detecting and stopping forced sexual servitude in Australia",
    "2022-02",
  ],
  ["AUSTRAC-CSE", "AUSTRAC Fintel Alliance", "Combating the sexual exploitation of children for financial gain", ""],
  ["EUROPOL-2015-THB", "Europol", "The THB financial business model", "2015-07"],
  [
    "OSCE-2019-MONEY",
    "OSCE",
    "Following the money: compendium of resources and guide to financial investigations",
    "2019-11-07",
  ],
  ["MEKONG-2017-TYPOLOGIES", "The Mekong Club", "Typologies of modern slavery for financial services", "2017"],
  ["MEKONG-2024-TYPOLOGIES", "The Mekong Club", "Typologies of modern slavery for financial services, update", "2024"],
  [
    "UNODC-FORCED-CRIMINALITY",
    "United Nations Office on Drugs and Crime",
    "Key indicators of trafficking for forced criminality",
    "",
  ],
  [
    "FAST-2019-BLUEPRINT",
    "Liechtenstein Initiative (FAST)",
    "Unlocking potential: a blueprint for mobilizing finance",
    "2019",
  ],
  ["FIN-2023-Alert006", FINCEN, "Alert on countering the financing of Hamas", "2023-10-20"],
  ["FIN-2024-A001", FINCEN, "Advisory on financing of Iran-backed organizations", "2024-05-08"],
  ["FIN-2024-Alert003", FINCEN, "Alert on countering the financing of Hizballah", "2024-10-23"],
  ["FIN-2025-A001", FINCEN, "Advisory on the financing of the Islamic State and its global affiliates", "2025-04-01"],
  ["FINTRAC-2022-OA001", FINTRAC, "Operational alert on terrorist activity financing", "2022-12"],
  ["FATF-2019-TFRA", FATF, "Terrorist financing risk assessment guidance", "2019-07"],
  ["FATF-2015-TF", FATF, "Emerging terrorist financing risks", "2015-10"],
  ["FATF-2021-ERMT", FATF, "Ethnically or racially motivated terrorism financing", "2021-06"],
  ["FATF-2023-CROWDFUNDING", FATF, "Crowdfunding for terrorism financing", "2023-10-31"],
  ["FATF-2025-TF", FATF, "Comprehensive update on terrorist financing risks", "2025-07-08"],
  ["FATF-2018-BO", "Financial Action Task Force and Egmont Group", "Concealment of beneficial ownership", "2018-07"],
  ["FATF-2011-PIRACY", FATF, "Organised maritime piracy and related kidnapping for ransom", "2011-07"],
  ["UNSCR-1267", UNSC, "Resolution 1267 (1999)", "1999"],
  ["UNSCR-1373", UNSC, "Resolution 1373 (2001)", "2001"],
  ["UNSCR-1989", UNSC, "Resolution 1989 (2011)", "2011"],
  ["UNSCR-2133", UNSC, "Resolution 2133 (2014)", "2014"],
  ["UNSCR-2178", UNSC, "Resolution 2178 (2014)", "2014"],
  ["UNSCR-2253", UNSC, "Resolution 2253 (2015)", "2015"],
  ["UNSCR-2331", UNSC, "Resolution 2331 (2016)", "2016"],
  ["UNSCR-2388", UNSC, "Resolution 2388 (2017)", "2017"],
  ["UNSCR-2396", UNSC, "Resolution 2396 (2017)", "2017"],
  ["UNSCR-2462", UNSC, "Resolution 2462 (2019)", "2019"],
  ["UNSCR-2664", UNSC, "Resolution 2664 (2022)", "2022"],
  ["UNSCR-2761", UNSC, "Resolution 2761 (2024)", "2024"],
  [
    "CTED-2019-NEXUS",
    "Counter-Terrorism Committee Executive Directorate",
    "Identifying and exploring the nexus between human trafficking, terrorism and terrorism financing",
    "2019",
  ],
  ["OFAC-SDN", "Office of Foreign Assets Control", "Specially Designated Nationals list", ""],
];

/** Public documents by the id that rules cite. */
export const CITATIONS: ReadonlyMap<string, PublicDocument> = new Map(
  ROWS.map(([id, issuer, title, date]) => [id, { issuer, title, date }]),
);
