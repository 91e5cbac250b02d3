(() => {
  const grid = JSON.parse(document.getElementById("explore-grid").textContent);
  const part = (name) => document.getElementById("explore-" + name);
  const [left, right, top, bottom] = [46, 330, 10, 220];
  const lowest = grid.seen[0], highest = grid.seen[grid.seen.length - 1];
  const whole = (value) => String(Math.round(value)).replace("-", "−");

  // A scale from numbers of an axis to places of the picture.
  const scale = (from, to, start, end) => (value) =>
    +(start + ((value - from) / (to - from)) * (end - start)).toFixed(1);
  const across = scale(lowest, highest, left, right);
  const path = (ys, up) =>
    "M" + ys.map((y, i) => across(grid.seen[i]) + " " + up(y)).join("L");

  const frame = (ticks, up, seen, chosen) =>
    `<path class="axis" d="M${left} ${top}V${bottom}H${right}"/>` +
    [-150, -75, 0, 75, 150].map((x) =>
      `<text x="${across(x)}" y="${bottom + 16}" text-anchor="middle">${whole(x)}</text>`).join("") +
    ticks.map((y) =>
      `<text x="${left - 5}" y="${up(y) + 4}" text-anchor="end">${whole(y)}</text>`).join("") +
    `<text x="${(left + right) / 2}" y="${bottom + 34}" text-anchor="middle">${seen}</text>` +
    `<text transform="translate(10 ${(top + bottom) / 2}) rotate(-90)" text-anchor="middle">${chosen}</text>`;

  const draw = (svg, lines, face, at, range, ticks, seen, chosen) => {
    const up = scale(...range, bottom, top), x = across(grid.seen[at]);
    svg.innerHTML = frame(ticks, up, seen, chosen) +
      `<path class="face" d="${path(face, up)}"/>` +
      `<path class="mark" d="M${x} ${top}V${bottom}"/>` +
      Object.entries(lines).map(([name, ys]) =>
        `<path class="${name}" d="${path(ys, up)}"/>` +
        `<circle class="${name}" cx="${x}" cy="${up(ys[at])}" r="4"/>`).join("");
  };

  const show = () => {
    const market = grid.markets[part("market").value];
    const [b, a, k, at] =
      ["aversion", "trust", "level", "seen"].map((name) => Number(part(name).value));
    const seen = grid.seen[at];
    const report = { te: market.reports[b][a], lk: market.level_reports[k] };
    const capacity = { te: market.capacities[a], lk: market.level_capacities[k] };
    draw(part("sender"), report, grid.seen, at, [lowest, highest], [-150, -75, 0, 75, 150],
      "forecast (units of demand)", "report (units of demand)");
    draw(part("receiver"), capacity, market.level_capacities[0], at, [0, 480],
      [0, 120, 240, 360, 480], "report (units of demand)", "capacity (units of demand)");
    part("aversion-says").value = grid.aversions[b];
    part("trust-says").value = grid.trusts[a];
    part("level-says").value = k;
    part("seen-says").value = whole(seen);
    const loss = +(grid.aversions[b] * grid.margin).toFixed(2);
    part("says").textContent =
      `A sender who knows a forecast of ${whole(seen)} reports ${whole(report.te[at])} if a further ` +
      `unit of a lie of ${grid.lie} feels like a loss of ${loss} and she expects a trust of ` +
      `${grid.trusts[a]}; at level ${k} she reports ${whole(report.lk[at])}. A receiver of a report ` +
      `of ${whole(seen)} builds ${whole(capacity.te[at])} if he trusts by ${grid.trusts[a]}, and ` +
      `${whole(capacity.lk[at])} at level ${k}.`;
  };

  part("market").innerHTML = Object.entries(grid.markets).map(([name, one]) =>
    `<option value="${name}">${name}: capacity costs ${one.capacity_cost}, demand ±${one.uncertainty}` +
    "</option>").join("");
  part("market").value = "CHUL";
  for (const [name, last, start] of [
    ["aversion", grid.aversions.length - 1, 5], ["trust", grid.trusts.length - 1, 7],
    ["level", 3, 1], ["seen", grid.seen.length - 1, 30]]) {
    Object.assign(part(name), { min: 0, max: last, step: 1, value: start });
  }
  for (const name of ["market", "aversion", "trust", "level", "seen"])
    part(name).addEventListener("input", show);
  document.getElementById("explorer").hidden = false;
  show();
})();
