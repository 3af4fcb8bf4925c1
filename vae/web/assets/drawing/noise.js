// Random numbers that repeat under a seed, so that a frozen draw stays the same while one draws.
export function generator(seed) {
  // Park and Miller's multiplicative generator (1988, with the multiplier of 1993): exact in doubles.
  let state = 1 + (Math.abs(Math.trunc(seed)) % 2147483645);
  const next = () => (state = (state * 48271) % 2147483647) / 2147483647;
  // Small seeds begin small.
  for (let skipped = 0; skipped < 5; skipped++) next();
  return next;
}

export function normals(count, random) {
  const values = new Float64Array(count);
  for (let index = 0; index < count; index++)
    // Box and Muller (1958).
    values[index] = Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
  return values;
}

export function pixelNoise(count, seed) {
  const random = generator(seed);
  return { normal: normals(count, random), uniform: Float64Array.from({ length: count }, random) };
}
