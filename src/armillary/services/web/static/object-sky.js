// The sky as a plane: tangent plane or Mollweide, in ICRS or galactic coordinates, with a net of lines.

const RAD = Math.PI / 180;
/** From ICRS to galactic (Hipparcos catalogue, vol. 1, 1.5.11). */
const GALACTIC = [
  [-0.0548755604, -0.8734370902, -0.4838350155],
  [0.4941094279, -0.44482963, 0.7469822445],
  [-0.867666149, -0.1980763734, 0.4559837762],
];
const STEPS = [90, 60, 30, 15, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001];

/** Just short of half a turn, which would be the other side; meridians of the whole sky from its middle. */
const EDGE = 179.999999;
const MERIDIANS = [EDGE, 120, 60, 0, -60, -120, -EDGE];

/** @typedef {{kind: string, frame: string, lon: number, lat: number}} Projection lon and lat: the middle, degrees */

/** Turn ICRS into a frame, degrees. @returns {[number, number]} */
export function inFrame(ra, dec, frame) {
  if (frame !== "galactic") return [ra, dec];
  return turned(ra, dec, GALACTIC);
}

/** Turn a place in a frame into ICRS. @returns {[number, number]} */
export function fromFrame(lon, lat, frame) {
  if (frame !== "galactic") return [lon, lat];
  return turned(lon, lat, GALACTIC[0].map((_, k) => GALACTIC.map((line) => line[k])));
}

function turned(lon, lat, matrix) {
  const [a, d] = [lon * RAD, lat * RAD];
  const from = [Math.cos(d) * Math.cos(a), Math.cos(d) * Math.sin(a), Math.sin(d)];
  const [x, y, z] = matrix.map((line) => line[0] * from[0] + line[1] * from[1] + line[2] * from[2]);
  return [(Math.atan2(y, x) / RAD + 360) % 360, Math.asin(Math.max(-1, Math.min(1, z))) / RAD];
}

/** Give what puts a place of the frame on the plane, in degrees; NaN where it has none. */
export function projector({ kind, lon, lat }) {
  return kind === "mollweide" ? (l, b) => mollweide(l - lon, b) : tangent(lon, lat);
}

function tangent(lon, lat) {
  const [sin0, cos0] = [Math.sin(lat * RAD), Math.cos(lat * RAD)];
  return (l, b) => {
    const [a, d] = [(l - lon) * RAD, b * RAD];
    const cosine = sin0 * Math.sin(d) + cos0 * Math.cos(d) * Math.cos(a);
    if (cosine < 0.05) return [NaN, NaN];
    const y = cos0 * Math.sin(d) - sin0 * Math.cos(d) * Math.cos(a);
    return [(Math.cos(d) * Math.sin(a)) / cosine / RAD, y / cosine / RAD];
  };
}

function mollweide(away, lat) {
  const lon = ((((away + 180) % 360) + 360) % 360) - 180;
  let theta = lat * RAD;
  const wanted = Math.PI * Math.sin(theta);
  for (let k = 0; k < 12 && Math.abs(lat) < 89.99; k++) {
    const step = (2 * theta + Math.sin(2 * theta) - wanted) / (2 + 2 * Math.cos(2 * theta));
    theta -= step;
    if (Math.abs(step) < 1e-7) break;
  }
  return [((2 * Math.SQRT2) / Math.PI) * lon * Math.cos(theta), (Math.SQRT2 * Math.sin(theta)) / RAD];
}

/** Give the place of the frame at a point of the plane. */
export function unprojector({ kind, lon, lat }) {
  if (kind === "mollweide") {
    return (x, y) => {
      const theta = Math.asin(Math.max(-1, Math.min(1, (y * RAD) / Math.SQRT2)));
      const b = Math.asin(Math.max(-1, Math.min(1, (2 * theta + Math.sin(2 * theta)) / Math.PI))) / RAD;
      return [(lon + (x * Math.PI) / (2 * Math.SQRT2 * Math.max(Math.cos(theta), 1e-9)) + 720) % 360, b];
    };
  }
  return (x, y) => {
    const [u, v] = [x * RAD, y * RAD];
    const far = Math.hypot(u, v);
    const c = Math.atan(far);
    if (!far) return [lon, lat];
    const b = Math.asin(Math.cos(c) * Math.sin(lat * RAD) + (v * Math.sin(c) * Math.cos(lat * RAD)) / far);
    const a = Math.atan2(u * Math.sin(c), far * Math.cos(lat * RAD) * Math.cos(c) - v * Math.sin(lat * RAD) * Math.sin(c));
    return [(lon + a / RAD + 360) % 360, b / RAD];
  };
}

/** Put all sources on the plane. @returns {[Float64Array, Float64Array]} */
export function project(ra, dec, projection) {
  const put = projector(projection);
  const [xs, ys] = [new Float64Array(ra.length), new Float64Array(ra.length)];
  for (let k = 0; k < ra.length; k++) [xs[k], ys[k]] = put(...inFrame(ra[k], dec[k], projection.frame));
  return [xs, ys];
}

/** Give the middle of sources and how far the farthest is, degrees, by their mean direction. */
export function middleOf(ra, dec, frame) {
  const sum = [0, 0, 0];
  let count = 0;
  for (let k = 0; k < ra.length; k++) {
    if (!Number.isFinite(ra[k] + dec[k])) continue;
    const [l, b] = [ra[k] * RAD, dec[k] * RAD];
    sum[0] += Math.cos(b) * Math.cos(l);
    sum[1] += Math.cos(b) * Math.sin(l);
    sum[2] += Math.sin(b);
    count += 1;
  }
  const length = Math.hypot(...sum) / Math.max(count, 1);
  const [l, b] = inFrame((Math.atan2(sum[1], sum[0]) / RAD + 360) % 360, Math.atan2(sum[2], Math.hypot(sum[0], sum[1])) / RAD, frame);
  return { lon: Math.round(l * 100) / 100, lat: Math.round(b * 100) / 100, narrow: length > 0.9, count };
}

/** Draw lines of longitude and latitude with their numbers. @param {Projection} projection */
export function graticule(projection) {
  const [put, back] = [projector(projection), unprojector(projection)];
  const whole = projection.kind === "mollweide";
  return (plot, pen) => {
    const [width, height] = plot.size();
    const [left, top] = back(...plot.toNumbers(50, 8));
    const [right, low] = back(...plot.toNumbers(width - 8, height - 36));
    const [, across] = [0, Math.max(Math.abs(top - low), 1e-4)];
    const tall = whole ? 150 : across;
    const step = STEPS.find((one) => tall / one >= 3) ?? STEPS.at(-1);
    const [midLon, midLat] = back(...plot.toNumbers(width / 2, height / 2));
    const wide = whole ? 180 : Math.min(180, Math.max(Math.abs(wrap(left - right)), across) / Math.max(Math.cos(Math.min(Math.abs(midLat) + tall / 2, 89) * RAD), 0.02));
    const lonStep = whole ? 60 : (STEPS.find((one) => wide / one >= 3) ?? STEPS.at(-1));
    pen.strokeStyle = plot.colours.faint;
    pen.fillStyle = plot.colours.faint;
    pen.globalAlpha = 0.55;
    pen.lineWidth = 0.7;
    const [bLow, bHigh] = whole ? [-90, 90] : [Math.max(-90, midLat - tall * 1.2), Math.min(90, midLat + tall * 1.2)];
    const lons = whole ? MERIDIANS.map((away) => projection.lon + away) : upTo(midLon - wide, midLon + wide, lonStep);
    for (const l of lons) line(plot, pen, put, (t) => [l, bLow + t * (bHigh - bLow)]);
    const from = whole ? projection.lon : midLon;
    for (let b = Math.ceil(bLow / step) * step; b <= bHigh; b += step) line(plot, pen, put, (t) => [from + (whole ? EDGE : wide) * (2 * t - 1), b]);
    pen.globalAlpha = 1;
    if (whole) outline(plot, pen, put, projection.lon);
    numbers(plot, pen, put, { midLon, midLat, lons, whole, step, bLow, bHigh });
  };
}

/** Draw the edge of the whole sky. */
function outline(plot, pen, put, lon) {
  pen.strokeStyle = plot.colours.frame;
  pen.lineWidth = 1.2;
  for (const side of [-EDGE, EDGE]) line(plot, pen, put, (t) => [lon + side, 180 * t - 90]);
}

const upTo = (low, high, step) => Array.from({ length: Math.floor(high / step) - Math.floor(low / step) + 1 }, (_, k) => (Math.floor(low / step) + k) * step);

function line(plot, pen, put, at) {
  pen.beginPath();
  let [begun, before] = [false, NaN];
  for (let k = 0; k <= 60; k++) {
    const [x, y] = plot.toPixel(...put(...at(k / 60)));
    const broken = !Number.isFinite(x + y) || Math.abs(x - before) > 400;
    if (!broken && begun) pen.lineTo(x, y);
    else if (Number.isFinite(x + y)) pen.moveTo(x, y);
    [begun, before] = [Number.isFinite(x + y), x];
  }
  pen.stroke();
}

function numbers(plot, pen, put, { midLon, midLat, lons, whole, step, bLow, bHigh }) {
  const [width, height] = plot.size();
  const inside = (x, y) => x > 52 && x < width - 30 && y > 8 && y < height - 34;
  pen.textAlign = "left";
  pen.textBaseline = "bottom";
  const said = new Set();
  for (const l of lons) {
    const words = degrees(Math.round((((l % 360) + 360) % 360) * 1000) / 1000 % 360);
    const [x, y] = plot.toPixel(...put(l, whole ? 0 : midLat));
    if (said.has(words) || !(whole ? x > 46 && x < width - 30 : inside(x, y))) continue;
    said.add(words);
    pen.fillText(words, x + 2, whole ? Math.max(22, Math.min(y - 1, height - 32)) : height - 32);
  }
  for (let b = Math.ceil(bLow / step) * step; b <= bHigh; b += step) {
    const [x, y] = plot.toPixel(...put(midLon, b));
    const named = !whole || (Math.abs(b) > 1e-9 && Math.abs(b) < 90); // the equator has the numbers of the meridians
    if (named && inside(x, y)) pen.fillText(`${b > 0 ? "+" : ""}${degrees(b)}`, 50, y);
  }
}

const wrap = (degree) => ((((degree + 180) % 360) + 360) % 360) - 180;
const degrees = (value) => `${Math.round(value * 1000) / 1000}°`;
