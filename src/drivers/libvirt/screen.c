/* SPDX-License-Identifier: Apache-2.0
 * Screenshots: QEMU writes the picture into a file on the host, and libvirt sends it. */
#include <linux/input-event-codes.h>
#include <stdlib.h>

#include "base/buf.h"
#include "drivers/libvirt/host.h"

/* More than a PNG of the largest picture, since compression can grow it. */
static const size_t PNG_CAP = 4 * (size_t) PICTURE_PIXELS_MAX;
enum { PIECE_SIZE = 64 << 10, PRESS_MS = 50 };

/* Wakes a sleeping screen by a key press. A quick guest shows it in the following picture; otherwise the
 * caller asks again. */
static RESULT press_key(struct compute_host *h, struct ctx *c, virDomainPtr d)
{
	unsigned key = KEY_LEFTSHIFT;
	if (virDomainSendKey(d, VIR_KEYCODE_SET_LINUX, PRESS_MS, &key, 1, 0) != 0)
		return libvirt_fail(h, c, "pressing a key of domain %s", virDomainGetName(d));
	return OK;
}

static RESULT receive(struct compute_host *h, struct ctx *c, virStreamPtr stream, struct buf *b)
{
	for (;;) {
		if (b->size >= PNG_CAP)
			return ctx_fail(c, ERR_TOO_LARGE, "a screen's picture of more than %zu bytes",
					PNG_CAP);
		size_t room = PNG_CAP - b->size < PIECE_SIZE ? PNG_CAP - b->size : PIECE_SIZE;
		if (!buf_reserve(b, room))
			return buf_finish(b);
		int n = virStreamRecv(stream, b->p + b->size, room);
		if (n < 0)
			return libvirt_fail(h, c, "reading a screen's picture");
		if (n == 0)
			return OK;
		b->size += (size_t) n;
	}
}

static RESULT parse(struct ctx *c, const char *type, struct str bytes, struct picture **ret_picture)
{
	if (!str_is(str_from(type), "image/png"))
		return ctx_fail(c, ERR_UNSUPPORTED, "the host draws screens as %.40s", type);
	return picture_parse_png(c, bytes, ret_picture);
}

static RESULT draw(struct compute_host *h, struct ctx *c, virDomainPtr d, struct picture **ret_picture)
{
	virStreamPtr stream = virStreamNew(h->conn, 0);
	if (!stream)
		return libvirt_fail(h, c, "opening a stream");
	struct buf b;
	struct result r = OK;
	buf_init(&b, PNG_CAP);
	AUTO_TEXT type = virDomainScreenshot(d, stream, 0, 0);
	if (!type)
		r = libvirt_fail(h, c, "drawing the screen of domain %s", virDomainGetName(d));
	else
		r = receive(h, c, stream, &b);
	if (!result_is_ok(r) || virStreamFinish(stream) != 0)
		virStreamAbort(stream); /* all bytes have arrived by then */
	virStreamFree(stream);
	if (result_is_ok(r))
		r = parse(c, type, buf_str(&b), ret_picture);
	buf_done(&b);
	return r;
}

RESULT libvirt_draw_screen(struct compute_host *h, struct ctx *c, uuid id, bool wake,
			   struct picture **ret_picture)
{
	AUTO_DOMAIN d = NULL;
	TRY(libvirt_find_running(h, c, id, &d, NULL));
	if (wake)
		TRY(press_key(h, c, d));
	return draw(h, c, d, ret_picture);
}
