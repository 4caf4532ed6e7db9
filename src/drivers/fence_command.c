/* SPDX-License-Identifier: Apache-2.0
 * Runs fence agents: programs that read name=value lines from standard input, including `action`. `off` exits
 * with 0 once the host is off. `status` exits with 0 if it is on and 2 if it is off; agents of the
 * fence-agents project also print it. argv contains nothing, because other processes could read it. */
#include "base/buf.h"
#include "base/child.h"
#include "drivers/fence.h"

enum { STATUS_IS_OFF = 2, OUTPUT_CAP = 64 * 1024, WORDS_MAX = 500 };

static struct str write_input(struct arena *a, const struct fence_device *device, const char *action)
{
	struct str text = str_print(a, "action=%s\n", action);
	for (size_t k = 0; k < device->options.count && text.p; k++) {
		const struct tag *option = &device->options.at[k];
		text = str_print(a, "%" STR_FMT "%" STR_FMT "=%" STR_FMT "\n", STR_ARG(text),
				 STR_ARG(option->key), STR_ARG(option->value));
	}
	return text.p ? str_print(a, "%" STR_FMT "%" STR_FMT, STR_ARG(text), STR_ARG(device->secret)) : text;
}

static RESULT run(struct ctx *c, const struct fence_device *device, const char *action,
		  struct child_end *ret_end)
{
	const char *const argv[] = {str_to_z(c->arena, device->command), NULL};
	struct child child = {.argv = argv,
			      .input = write_input(c->arena, device, action),
			      .timeout_us = device->timeout_us,
			      .output_cap_size = OUTPUT_CAP};
	if (!argv[0] || !child.input.p)
		return ctx_no_memory(c);
	TRY(ctx_check_may_act(c));
	return child_run(c, &child, ret_end);
}

/* The end of its output, for messages. */
static struct str words_of(const struct child_end *end)
{
	struct str words = str_trim(end->err.n ? end->err : end->out);
	return words.n > WORDS_MAX ? str_slice(words, words.n - WORDS_MAX, words.n) : words;
}

static RESULT turn_off(struct ctx *c, const struct fence_device *device)
{
	struct child_end end;
	TRY(run(c, device, "off", &end));
	if (end.status != 0)
		return ctx_fail(c, ERR_IO,
				"%" STR_FMT " could not turn the host off (exit status %d): %" STR_FMT,
				STR_ARG(device->command), end.status, STR_ARG(words_of(&end)));
	TRY(run(c, device, "status", &end));
	if (end.status == STATUS_IS_OFF)
		return OK;
	return ctx_fail(c, ERR_IO,
			"%" STR_FMT " does not find the host off afterwards (exit status %d): %" STR_FMT,
			STR_ARG(device->command), end.status, STR_ARG(words_of(&end)));
}

const struct fence_driver fence_command = {.scheme = "", .turn_off = turn_off};
