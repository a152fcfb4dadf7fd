"use strict";
const cards = [...document.querySelectorAll("details.card")];
const form = document.getElementById("filter");
const shown = document.getElementById("shown");
const words = new Map();

/* Read once, and only when somebody searches. */
function textOf(card) {
  if (!words.has(card)) words.set(card, card.textContent.toLowerCase());
  return words.get(card);
}

function wanted(card, choice) {
  return (!choice.category || card.dataset.category === choice.category)
    && (!choice.fault || card.dataset.fault === choice.fault)
    && (!choice.state || card.classList.contains(choice.state))
    && (!choice.text || textOf(card).includes(choice.text.toLowerCase()));
}

function filter() {
  const choice = Object.fromEntries(new FormData(form));
  let count = 0;
  for (const card of cards) {
    card.hidden = !wanted(card, choice);
    count += card.hidden ? 0 : 1;
  }
  shown.textContent = `${count} of ${cards.length}`;
}

/* A link to an example opens it, even where the filter hides it. */
function openTarget() {
  const card = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (card === null || !cards.includes(card)) return;
  card.hidden = false;
  card.open = true;
  card.scrollIntoView();
}

form.addEventListener("input", filter);
form.addEventListener("reset", () => setTimeout(filter));
form.addEventListener("submit", (event) => event.preventDefault());
addEventListener("hashchange", openTarget);
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-fault-link]");
  if (link === null) return;
  form.elements.fault.value = link.dataset.faultLink;
  filter();
});
filter();
openTarget();
