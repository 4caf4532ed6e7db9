/* SPDX-License-Identifier: Apache-2.0
 * Private to api/console/: functions that its files share. */
#pragma once

#include "api/console/console.h"

/* Answers with the headers that a browser needs to keep a page to itself. */
void console_answer(struct call *call, int status, const char *content_type, struct buf *body);
/* Answers with a page that explains the failure. */
void console_answer_words(struct call *call, int status, struct str words);
/* Answers with a file of noVNC, by its path below the directory (files.c). */
void console_send_file(struct call *call, struct str directory, struct str path);
/* Sets the headers of a page; call it before answering. */
void console_set_page_headers(struct call *call);
/* " ws://HOST wss://HOST": sources for connect-src of older browsers, in which 'self' does not include websockets. Empty:
 * the request's Host is not a plain name. In the arena. */
struct str console_write_sockets(struct call *call);
