// SPDX-License-Identifier: Apache-2.0
// A full terminal for the page of a serial port (serial.js), loaded on demand: xterm.js. That page's content security policy allows styles only by
// files and by properties, while xterm creates style elements and attributes; so their texts are redirected before xterm is loaded.

const sheets = new WeakMap();
Object.defineProperty(HTMLStyleElement.prototype, "textContent", {
	configurable: true,
	get() {
		return sheets.get(this)?.text ?? "";
	},
	set(text) {
		let one = sheets.get(this);
		if (!one) {
			one = {sheet: new CSSStyleSheet(), text: ""};
			sheets.set(this, one);
			document.adoptedStyleSheets.push(one.sheet);
		}
		one.text = text;
		one.sheet.replaceSync(text);
	},
});

const setAttribute = Element.prototype.setAttribute;
HTMLElement.prototype.setAttribute = function (name, value) {
	if (name === "style")
		this.style.cssText = value;
	else
		setAttribute.call(this, name, value);
};

function loadSheet() {
	return new Promise((done, failed) => {
		const link = document.createElement("link");
		link.rel = "stylesheet";
		link.href = new URL("vendor/@xterm/xterm/css/xterm.css", import.meta.url).href;
		link.onload = done;
		link.onerror = failed;
		document.head.append(link);
	});
}

/** Creates a terminal that fills the place. send(text): typed text. onSize(columns, rows). */
export async function openTerminal(place, {send, onSize}) {
	const [{Terminal}, {FitAddon}] = await Promise.all([import("./vendor/@xterm/xterm/lib/xterm.mjs"), import("./vendor/@xterm/addon-fit/lib/addon-fit.mjs"), loadSheet()]);
	const terminal = new Terminal({scrollback: 5000, fontSize: 15, fontFamily: "ui-monospace, \"DejaVu Sans Mono\", monospace", screenReaderMode: true,
		minimumContrastRatio: 4.5, theme: {background: "#111111", foreground: "#dddddd"}});
	const fit = new FitAddon();
	terminal.loadAddon(fit);
	terminal.open(place);
	terminal.onData(send);
	terminal.onResize(({cols, rows}) => onSize(cols, rows));
	new ResizeObserver(() => place.clientHeight && fit.fit()).observe(place);
	fit.fit();
	onSize(terminal.cols, terminal.rows);
	return {write: (text) => terminal.write(text), focus: () => terminal.focus()};
}
