/* Another portfolio is shown as soon as it is chosen. */

document.querySelector("[data-choose]")?.addEventListener("change", ({ target }) => target.form.requestSubmit());
