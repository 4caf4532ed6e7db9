// SPDX-License-Identifier: Apache-2.0
// A serial console in a page: a paper terminal, of which the last line can be written over. It knows what
// shells and boot messages use; other escape sequences are swallowed, colours too. Nothing that a guest sends
// is anything but text here.
"use strict";

const LINES_MAX = 5000;
const state = document.getElementById("state");
const screen = document.getElementById("screen");

// ---- the paper: whole lines, and the last one with the place where the next character goes

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

// ---- escape sequences: "ESC [ numbers letter"; "ESC ] … BEL" and the like are left out

function control(numbers, letter) {
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

// ---- the wire

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
  say("Connected. What you type goes to the guest's serial port.", "open");
  screen.focus();
};
socket.onmessage = (event) => {
  for (const character of decoder.decode(event.data, { stream: true }))
    take(character);
  show();
};
socket.onclose = (event) => {
  say(wasOpen ? "The console is closed. " + event.reason
    : "The console could not be opened. Links are good for ten minutes: ask for a new one.", "closed");
};

// ---- the keyboard

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

document.addEventListener("keydown", (event) => {
  const isPaste = event.ctrlKey && event.key.toLowerCase() === "v";
  const text = isPaste || event.isComposing ? "" : textOf(event);
  if (!text)
    return;
  event.preventDefault();
  send(text);
});
document.addEventListener("paste", (event) => {
  event.preventDefault();
  send(event.clipboardData.getData("text").replace(/\r?\n/g, "\r"));
});
