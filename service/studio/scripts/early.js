// Before the first paint: do not show the beginning to someone who comes back to a version.

if (location.hash.includes("concept=")) document.documentElement.classList.add("opening");
