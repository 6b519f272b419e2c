// The record of a view (src/armillary/plots/record.py) with its arrays as typed arrays.

const KINDS = { f8: Float64Array, f4: Float32Array, i4: Int32Array, u1: Uint8Array };

/**
 * @typedef {{label: string, units: string, low: number, high: number, scale: "linear"|"log", time?: boolean,
 *   reversed?: boolean, map?: string}} Axis
 * @typedef {{data: ArrayLike<number>, shape: number[]}} NumberArray
 * @typedef {{type: "line"|"cells"|"points"|"image"|"spans"|"surface"|"arrow", label?: string, colour?: string, [part: string]: any}} Trace
 * @typedef {{kind: string, title: string, source: string, notes: string[], aspect: number|null,
 *   at_cursor: boolean, x: Axis, y: Axis, z: Axis|null, colour: Axis|null, traces: Trace[]}} Panel
 * @typedef {{start: number, stop: number, label: string, colour: string}} Band
 * @typedef {{version: number, title: string, start: number, stop: number, cursor: number|null, about: Object<string, string>,
 *   summary: string, bands: Band[], panels: Panel[]}} View
 */

/**
 * Read a record whose arrays are base64; it is changed in place.
 * @param {any} record
 * @returns {View}
 */
export function decode(record) {
  return withArrays(record, (array) => {
    const text = atob(array.data);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return bytes.buffer;
  });
}

/**
 * Read the binary form: a length, a JSON head, arrays.
 * @param {ArrayBuffer} message
 * @returns {View}
 */
export function decodeBytes(message) {
  const size = new DataView(message).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(message, 4, size)));
  const body = 4 + size;
  return withArrays(head, (array) => {
    const length = array.shape.reduce((all, one) => all * one, 1) * KINDS[array.type].BYTES_PER_ELEMENT;
    return message.slice(body + array.at, body + array.at + length);
  });
}

/** @param {any} record @param {(array: any) => ArrayBuffer} bytes */
function withArrays(record, bytes) {
  if (record.version !== 1) throw new Error(`a picture of version ${record.version} is not understood`);
  for (const panel of record.panels) {
    for (const trace of panel.traces) {
      for (const [name, part] of Object.entries(trace)) {
        if (part && typeof part === "object" && part.shape) {
          trace[name] = { data: new KINDS[part.type](bytes(part)), shape: part.shape };
        }
      }
    }
  }
  return record;
}
