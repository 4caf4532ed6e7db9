/* SPDX-License-Identifier: Apache-2.0
 * The scanner described in frame.h: counts brackets outside of strings. */
#include "drivers/ovsdb/frame.h"

void frame_init(struct frame *f, size_t max_size)
{
	*f = (struct frame){.max_size = max_size};
}

static void frame_step_text(struct frame *f, char ch)
{
	if (f->escaped)
		f->escaped = false;
	else if (ch == '\\')
		f->escaped = true;
	else if (ch == '"')
		f->in_text = false;
}

static bool is_space(char ch)
{
	return ch == ' ' || ch == '\n' || ch == '\r' || ch == '\t';
}

static enum frame_state frame_step(struct frame *f, char ch)
{
	if (f->in_text) {
		frame_step_text(f, ch);
		return FRAME_MORE;
	}
	if (ch == '{' || ch == '[')
		return ++f->depth > FRAME_MAX_DEPTH ? FRAME_BAD : FRAME_MORE;
	if (f->depth == 0)
		return is_space(ch) ? FRAME_MORE : FRAME_BAD;
	if (ch == '"')
		f->in_text = true;
	else if (ch == '}' || ch == ']')
		return --f->depth == 0 ? FRAME_WHOLE : FRAME_MORE;
	return FRAME_MORE;
}

enum frame_state frame_feed(struct frame *f, struct str bytes, size_t *ret_used)
{
	enum frame_state state = FRAME_MORE;
	size_t at = 0;
	while (at < bytes.n && state == FRAME_MORE)
		state = ++f->size > f->max_size ? FRAME_BAD : frame_step(f, bytes.p[at++]);
	*ret_used = at;
	if (state == FRAME_WHOLE)
		frame_init(f, f->max_size);
	return state;
}
