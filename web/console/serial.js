// SPDX-License-Identifier: Apache-2.0
// A serial console in a page: a line terminal, in which only the last line can be overwritten. It supports what shells and boot messages use; other
// escape sequences are ignored, including colours. Everything that a guest sends is treated as text. When the guest addresses the cursor, as editors
// do, or the user asks for it, a full terminal (terminal.js) is loaded and takes its place.
"use strict";

const LINES_MAX = 5000, KEPT_MAX = 256 * 1024, NARROW = 480;
const state = document.getElementById("state");
const screen = document.getElementById("screen");
const place = document.getElementById("terminal");
const size = document.getElementById("size");
const other = document.getElementById("other");

// ---- words

const KO = {
  "Serial console": "시리얼 콘솔",
  "Connecting": "연결하는 중",
  "Connected. What you type goes to the guest's serial port.": "연결되었습니다. 입력하면 게스트의 시리얼 포트로 갑니다.",
  "The console is closed.": "콘솔이 닫혔습니다.",
  "The console could not be opened. Links are good for ten minutes: ask for a new one.": "콘솔을 열지 못했습니다. 링크는 10분 동안 유효하니 새로 받으세요.",
  "Ctrl F6 leads here": "Ctrl F6을 누르면 여기로 옵니다",
  "Full terminal": "전체 터미널", "Plain text": "일반 텍스트",
  "The full terminal could not be loaded.": "전체 터미널을 불러오지 못했습니다.",
};

function language() {
  let chosen = null;
  try {
    chosen = localStorage.getItem("dari.language");
  } catch { /* a private window */ }
  return chosen || navigator.languages.map((l) => l.slice(0, 2)).find((l) => l === "ko" || l === "en") || "en";
}

document.documentElement.lang = language() === "ko" ? "ko" : "en";
function word(sentence) {
  return document.documentElement.lang === "ko" ? KO[sentence] : sentence;
}

document.title = document.querySelector("h1").textContent = word("Serial console");
screen.setAttribute("aria-label", word("Serial console"));
state.textContent = word("Connecting");

// ---- the full terminal: gets the guest's recent output again

let kept = [], keptSize = 0;
let terminal = null; // once it is loaded
let isFull = false, isChosen = false; // by the user: then the guest cannot switch any more

function keep(text) {
  kept.push(text);
  keptSize += text.length;
  while (keptSize > KEPT_MAX && kept.length > 1)
    keptSize -= kept.shift().length;
}

async function load() {
  const { openTerminal } = await import("/console/terminal.js");
  terminal = await openTerminal(place, { send, onSize: (columns, rows) => { size.textContent = `stty cols ${columns} rows ${rows}`; } });
  terminal.write(kept.join(""));
}

let loading = null;
async function showFull(wanted) {
  isFull = wanted;
  if (wanted && !terminal) {
    place.hidden = false;
    try {
      loading = loading || load();
      await loading;
    } catch {
      loading = null;
      isFull = false;
      say(word("The full terminal could not be loaded."), "closed");
    }
  }
  const isShown = isFull && terminal !== null;
  screen.hidden = isShown;
  place.hidden = size.hidden = !isShown;
  other.textContent = isShown ? word("Plain text") : word("Full terminal");
  (isShown ? terminal : screen).focus();
  if (!isShown)
    show();
}

other.textContent = word("Full terminal");
other.title = word("Ctrl F6 leads here");
size.hidden = true;
other.addEventListener("click", () => {
  isChosen = true;
  showFull(!isFull);
});

/** True if the line terminal cannot show the sequence: the cursor moves elsewhere than home, up, or to another screen. */
function movesAbout(numbers, letter) {
  if (letter === "H" || letter === "f")
    return /[2-9]|\d\d/.test(numbers);
  if (letter === "h")
    return /^\?(47|1047|1049)$/.test(numbers);
  return "ABEFd".includes(letter) || (letter === "r" && numbers.includes(";"));
}

// ---- the line terminal: complete lines, and the last one with the cursor position

const done = [];
let line = [];
let column = 0;

function show() {
  const atEnd = window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - 40;
  screen.textContent = done.concat([line.join("")]).join("\n");
  if (atEnd)
    window.scrollTo(0, document.documentElement.scrollHeight);
}

function put(character) {
  while (line.length < column)
    line.push(" ");
  line[column++] = character;
}

function feed() {
  done.push(line.join(""));
  if (done.length > LINES_MAX)
    done.splice(0, done.length - LINES_MAX);
  line = [];
}

const controls = {
  "\r": () => { column = 0; },
  "\n": () => { const before = column; feed(); column = before; },
  "\b": () => { column = Math.max(0, column - 1); },
  "\t": () => { do put(line[column] || " "); while (column % 8); },
};

// ---- escape sequences: "ESC [ numbers letter"; "ESC ] … BEL" and similar ones are ignored

function control(numbers, letter) {
  if (!isFull && !isChosen && window.innerWidth >= NARROW && movesAbout(numbers, letter))
    showFull(true);
  const count = parseInt(numbers, 10) || 0;
  if (letter === "C")
    column = Math.min(500, column + (count || 1));
  else if (letter === "D")
    column = Math.max(0, column - (count || 1));
  else if (letter === "G")
    column = Math.min(500, Math.max(0, count - 1));
  else if (letter === "K")
    line = count === 0 ? line.slice(0, column) : [];
  else if (letter === "P")
    line.splice(column, count || 1);
  else if (letter === "J" && count >= 2) {
    done.length = 0;
    line = [];
    column = 0;
  }
}

let mode = "text";
let numbers = "";

function take(character) {
  if (mode === "escape") {
    mode = character === "[" ? "control" : "]PX^_".includes(character) ? "string" : "()*+#%".includes(character) ? "one" : "text";
    numbers = "";
  } else if (mode === "one") {
    mode = "text";
  } else if (mode === "string") {
    if (character === "\x07" || character === "\\")
      mode = "text";
  } else if (character === "\x1b") {
    mode = "escape";
  } else if (mode === "control") {
    if (character >= "@" && character <= "~") {
      control(numbers, character);
      mode = "text";
    } else if (numbers.length < 32) {
      numbers += character;
    }
  } else if (controls[character]) {
    controls[character]();
  } else if (character >= " " && character !== "\x7f") {
    put(character);
  }
}

// ---- websocket

const address = new URL("websocket" + window.location.search, window.location.href);
address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
const socket = new WebSocket(address, ["binary"]);
const decoder = new TextDecoder();
const encoder = new TextEncoder();
socket.binaryType = "arraybuffer";

function say(words, style) {
  state.textContent = words;
  state.className = style;
}

function send(text) {
  if (socket.readyState === WebSocket.OPEN)
    for (let from = 0; from < text.length; from += 8192)
      socket.send(encoder.encode(text.slice(from, from + 8192)));
}

let wasOpen = false;
socket.onopen = () => {
  wasOpen = true;
  say(word("Connected. What you type goes to the guest's serial port."), "open");
  screen.focus();
};
socket.onmessage = (event) => {
  const text = decoder.decode(event.data, { stream: true });
  keep(text);
  terminal?.write(text);
  for (const character of text)
    take(character);
  if (!screen.hidden)
    show();
};
socket.onclose = (event) => {
  say(wasOpen ? word("The console is closed.") + " " + event.reason
    : word("The console could not be opened. Links are good for ten minutes: ask for a new one."), "closed");
};

// ---- keyboard

const keys = {
  Enter: "\r", Backspace: "\x7f", Tab: "\t", Escape: "\x1b", Delete: "\x1b[3~", Insert: "\x1b[2~",
  ArrowUp: "\x1b[A", ArrowDown: "\x1b[B", ArrowRight: "\x1b[C", ArrowLeft: "\x1b[D",
  Home: "\x1b[H", End: "\x1b[F", PageUp: "\x1b[5~", PageDown: "\x1b[6~",
};

function textOf(event) {
  if (keys[event.key] !== undefined)
    return keys[event.key];
  if (event.key.length !== 1 || event.metaKey)
    return "";
  const code = event.key.toUpperCase().charCodeAt(0);
  if (event.ctrlKey && !event.altKey)
    return event.shiftKey ? "" : code >= 64 && code < 96 ? String.fromCharCode(code - 64) : event.key === " " ? "\0" : "";
  return (event.altKey && !event.ctrlKey ? "\x1b" : "") + event.key;
}

// All other keys go to the guest, even Tab: this key releases the focus.
document.addEventListener("keydown", (event) => {
  if (event.key !== "F6" || !event.ctrlKey)
    return;
  event.preventDefault();
  event.stopPropagation();
  other.focus();
}, true);
document.addEventListener("keydown", (event) => {
  const isPaste = event.ctrlKey && event.key.toLowerCase() === "v";
  const isElsewhere = screen.hidden || event.target === other;
  const text = isElsewhere || isPaste || event.isComposing ? "" : textOf(event);
  if (!text)
    return;
  event.preventDefault();
  send(text);
});
document.addEventListener("paste", (event) => {
  if (screen.hidden)
    return;
  event.preventDefault();
  send(event.clipboardData.getData("text").replace(/\r?\n/g, "\r"));
});
