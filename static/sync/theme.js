// Where no theme is chosen, the page takes that of the system, and follows it.
{
  const page = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const follow = () => {
    if (page.dataset.theme === "auto") page.dataset.bsTheme = dark.matches ? "dark" : "light";
  };
  follow();
  dark.addEventListener("change", follow);
}
