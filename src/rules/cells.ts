/** Coarse coordinates: `latitude,longitude` in degrees, and the great-circle distance between two. */
import type { Context, Read } from "./plan.ts";

export interface Coordinates {
  /** Radians. */
  readonly latitude: number;
  readonly longitude: number;
}

/** Mean radius of the earth (IUGG), metres. */
const EARTH_RADIUS = 6_371_008.8;
const RADIANS = Math.PI / 180;

/** Coordinates of `lat,lon`; undefined for any other text. */
export function parseCell(text: string): Coordinates | undefined {
  const comma = text.indexOf(",");
  if (comma <= 0 || comma === text.length - 1) return undefined;
  const latitude = Number(text.slice(0, comma));
  const longitude = Number(text.slice(comma + 1));
  if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180)) return undefined;
  return { latitude: latitude * RADIANS, longitude: longitude * RADIANS };
}

/** Distance over ground in metres (haversine). */
export function distanceMetres(a: Coordinates, b: Coordinates): number {
  const vertical = Math.sin((b.latitude - a.latitude) / 2);
  const horizontal = Math.sin((b.longitude - a.longitude) / 2);
  const part = vertical * vertical + Math.cos(a.latitude) * Math.cos(b.latitude) * horizontal * horizontal;
  return 2 * EARTH_RADIUS * Math.asin(Math.min(1, Math.sqrt(part)));
}

/** Reads a cell and keeps the last one parsed: an entity's home and usual places come again and again. */
export function cellReader(read: Read<string>): (c: Context) => Coordinates | undefined {
  let lastText: string | undefined;
  let last: Coordinates | undefined;
  return (c) => {
    const text = read(c);
    if (text === undefined) return undefined;
    if (text !== lastText) {
      lastText = text;
      last = parseCell(text);
    }
    return last;
  };
}
