/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/ec2/: walks an XML document element by element. Refuses document types (and with them
 * entities), depth and long texts. Namespaces are ignored: compatible clouds write other ones. Pure; any thread. */
#pragma once

#include "base/ctx.h"

enum { EC2_DEPTH_MAX = 24, EC2_TEXT_MAX = 64 * 1024 };

/* path: names of elements below the document's own, "volumeSet/item"; empty for the document's own. Both texts are valid
 * during the call alone. */
struct ec2_visitor {
	void *self;
	RESULT (*enter)(void *self, struct str path);
	RESULT (*leave)(void *self, struct str path, struct str text); /* text: trimmed */
};

/* ERR_IO, with a sentence: the text is no such document, or breaks a limit. *ret_root: name of its element, without
 * prefix, in the arena; set also after a failure. */
RESULT ec2_walk(struct ctx *c, struct str text, const struct ec2_visitor *visitor, struct str *ret_root);
/* Fails with ERR_IO: "The answer is not usable: …". */
RESULT ec2_fail_answer(struct ctx *c, const char *what);
