(() => {
  const grid = JSON.parse(document.getElementById("choose-grid").textContent);
  const part = (name) => document.getElementById("choose-" + name);
  const [left, right, top, bottom] = [46, 330, 10, 220];
  const up = (percent) => bottom - ((bottom - top) * percent) / 100;
  const wide = (right - left) / grid.seen.length;

  const draw = (svg, shares, chosen) => {
    const bars = Object.entries(shares).map(([name, percents], at) => percents.map((percent, i) =>
      `<rect class="bar ${name}" x="${(left + wide * (i + 0.14 + 0.36 * at)).toFixed(1)}" ` +
      `y="${up(percent).toFixed(1)}" width="${(0.34 * wide).toFixed(1)}" ` +
      `height="${(bottom - up(percent)).toFixed(1)}"/>`).join("")).join("");
    svg.innerHTML = `<path class="axis" d="M${left} ${top}V${bottom}H${right}"/>` +
      grid.seen.map((value, i) => `<text x="${left + wide * (i + 0.5)}" y="${bottom + 16}" ` +
        `text-anchor="middle">${value}</text>`).join("") +
      [0, 25, 50, 75, 100].map((percent) => `<text x="${left - 5}" y="${up(percent) + 4}" ` +
        `text-anchor="end">${percent}</text>`).join("") +
      `<text x="${(left + right) / 2}" y="${bottom + 34}" text-anchor="middle">${chosen}</text>` +
      `<text transform="translate(12 ${(top + bottom) / 2}) rotate(-90)" text-anchor="middle">` +
      `share of choices (%)</text>${bars}`;
  };

  const most = (percents) => {
    const place = percents.indexOf(Math.max(...percents));
    return `${grid.seen[place]} (${percents[place]} %)`;
  };

  const show = () => {
    const of = grid.treatments[part("bias").value];
    const [b, a, k, p, at] = ["aversion", "trust", "level", "precision", "seen"]
      .map((name) => Number(part(name).value));
    const sender = { te: of.te_sender[p][b][a][at], lk: of.lk_sender[p][k][at] };
    const receiver = { te: of.te_receiver[p][a][at], lk: of.lk_receiver[p][k][at] };
    draw(part("sender"), sender, "message");
    draw(part("receiver"), receiver, "action");
    const loss = grid.aversions[b], trust = grid.trusts[a], seen = grid.seen[at];
    part("aversion-says").value = loss;
    part("trust-says").value = trust;
    part("level-says").value = k;
    part("precision-says").value = grid.precisions[p];
    part("seen-says").value = seen;
    part("says").textContent =
      `In state ${seen} a sender to whom a lie of one costs ${loss} and who expects a trust of ` +
      `${trust} says most often ${most(sender.te)}; one of level ${k} says ${most(sender.lk)}. After ` +
      `message ${seen} a receiver with a trust of ${trust} does most often ${most(receiver.te)}; one ` +
      `of level ${k} does ${most(receiver.lk)}.`;
  };

  part("bias").innerHTML = Object.entries(grid.treatments).map(([name, of]) =>
    `<option value="${name}">${name}: senders want actions ${of.bias} higher</option>`).join("");
  part("bias").value = Object.keys(grid.treatments)[1];
  for (const [name, last, start] of [
    ["aversion", grid.aversions.length - 1, 3], ["trust", grid.trusts.length - 1, 4],
    ["level", 3, 1], ["precision", grid.precisions.length - 1, 3],
    ["seen", grid.seen.length - 1, 2]]) {
    Object.assign(part(name), { min: 0, max: last, step: 1, value: start });
  }
  for (const name of ["bias", "aversion", "trust", "level", "precision", "seen"])
    part(name).addEventListener("input", show);
  document.getElementById("chooser").hidden = false;
  show();
})();
