// Before anything is drawn: dark or light, as the Airflow around this page has it, else as it stored it, else the system.
(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  let shell = null;
  try {
    shell = parent === window ? null : parent.document.documentElement;
  } catch { /* another site's frame: frame-ancestors refuses it anyhow */ }
  const wanted = () => {
    for (const name of ["dark", "light"]) if (shell && shell.classList.contains(name)) return name;
    let stored = null;
    try { stored = localStorage.getItem("theme"); } catch { /* storage may be switched off */ }
    if (stored === "dark" || stored === "light") return stored;
    return system.matches ? "dark" : "light";
  };
  const set = () => { document.documentElement.dataset.theme = wanted(); };
  set();
  system.addEventListener("change", set);
  addEventListener("storage", set);
  if (shell) new MutationObserver(set).observe(shell, { attributes: true, attributeFilter: ["class"] });
})();
