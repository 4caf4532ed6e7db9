/* SPDX-License-Identifier: Apache-2.0
 * The websocket handshake (RFC 6455, 4.2). */
#include "http/websocket.h"

#include "base/crypto.h"

enum { KEY_SIZE = 16, KEY_TEXT_SIZE = 24 };

/* True if a list such as "keep-alive, Upgrade" contains the word, ignoring case. */
static bool has_word(struct str list, const char *word)
{
	struct str piece;
	while (str_split_next(&list, ',', &piece))
		if (str_equal_nocase(str_trim(piece), str_from(word)))
			return true;
	return false;
}

bool websocket_is_asked(const struct call *c)
{
	return has_word(call_header(c, "Upgrade"), "websocket");
}

/* Proves to the client that its handshake was understood: the SHA-1 of its key and of the GUID that RFC 6455 (1.3) gives. */
static RESULT write_accept(struct ctx *c, struct str key, struct str *ret_accept)
{
	uint8_t digest[20];
	struct str nonce = STR_NONE, joined = STR_NONE;
	if (key.n != KEY_TEXT_SIZE || !result_is_ok(str_decode_base64(c->arena, key, &nonce)) ||
	    nonce.n != KEY_SIZE)
		return ctx_fail(c, ERR_INVALID, "Sec-WebSocket-Key is not 16 bytes in base64");
	joined = str_print(c->arena, "%" STR_FMT "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", STR_ARG(key));
	crypto_sha1(joined, digest);
	*ret_accept = str_encode_base64(c->arena, (struct str){(const char *) digest, sizeof digest});
	return ret_accept->p ? OK : ctx_no_memory(c);
}

RESULT websocket_accept(struct call *c)
{
	struct str accept = STR_NONE, offered = call_header(c, "Sec-WebSocket-Protocol");
	if (c->method != HTTP_GET || !websocket_is_asked(c) ||
	    !has_word(call_header(c, "Connection"), "upgrade"))
		return ctx_fail(&c->ctx, ERR_INVALID, "this is opened as a websocket");
	if (!str_is(call_header(c, "Sec-WebSocket-Version"), "13"))
		return ctx_fail(&c->ctx, ERR_INVALID, "Sec-WebSocket-Version has to be 13");
	if (offered.n && !has_word(offered, "binary"))
		return ctx_fail(&c->ctx, ERR_INVALID, "of Sec-WebSocket-Protocol only binary is spoken");
	TRY(write_accept(&c->ctx, call_header(c, "Sec-WebSocket-Key"), &accept));
	call_set_answer_header(c, "Sec-WebSocket-Accept", accept);
	if (offered.n)
		call_set_answer_header(c, "Sec-WebSocket-Protocol", STR("binary"));
	return OK;
}
