/* SPDX-License-Identifier: Apache-2.0
 * What the console face's files share. */
#pragma once

#include "api/console/console.h"

/* Answers with the headers that a browser needs to keep a page to itself. */
void console_answer(struct call *call, int status, const char *content_type, struct buf *body);
/* A page that says what went wrong. */
void console_answer_words(struct call *call, int status, struct str words);
/* files.c: one of noVNC's files, by its path below the directory. */
void console_send_file(struct call *call, struct str directory, struct str path);
/* Before any answer of a page. */
void console_set_page_headers(struct call *call);
/* " ws://HOST wss://HOST": what older browsers need to be told of websockets, for whom 'self' is none. Empty: the request's Host
 * is no plain name. In the arena. */
struct str console_write_sockets(struct call *call);
