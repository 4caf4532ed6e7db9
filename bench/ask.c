/* SPDX-License-Identifier: Apache-2.0
 * Sends one signed EC2 request and prints the answer on standard output.
 *
 *     ask host=127.0.0.1:PORT key=ID secret=SECRET form=Action=…&Version=… */
#include <stdio.h>

#include "base/cleanup.h"
#include "client.h"

enum { ARENA_CAP = 1024 * 1024 };

static RESULT ask(struct ctx *c, int argc, char **argv, struct buf *answer)
{
	struct target target = arg_target(argc, argv);
	AUTO_FD fd = -1;
	TRY(client_connect(c, target.host, &fd));
	const struct client_request request = {.body = arg_text(argc, argv, "form", STR_NONE)};
	return client_call(c, &target, fd, &request, answer);
}

int main(int argc, char **argv)
{
	struct ctx c;
	struct buf answer;
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, ARENA_CAP);
	if (!arena)
		return 1;
	ctx_init(&c, arena);
	buf_init(&answer, BUF_ANSWER_CAP);
	struct result result = ask(&c, argc, argv, &answer);
	if (result_is_ok(result))
		(void) fwrite(answer.p, 1, answer.size, stdout);
	buf_done(&answer);
	return result_is_ok(result) ? 0 : client_fail(&c, result);
}
