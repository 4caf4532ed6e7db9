/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: common helpers. Everything here runs inside an operation. */
#pragma once

#include <stdarg.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/vec.h"
#include "engine/operation.h"
#include "engine/resolve.h"

struct router;

/* Like ctx_fail_kind(), with the invalid parameter. */
#define ENGINE_FAIL(op, err, kind, field, ...)                                                               \
	engine_fail_with((op)->ctx, (field), ctx_fail_kind((op)->ctx, (err), (int) (kind), __VA_ARGS__))
struct result engine_fail_with(struct ctx *c, struct str field, struct result failed);
/* Like ENGINE_FAIL(), with the ref's text and field. */
#define ENGINE_FAIL_ABOUT(op, err, kind, ref, ...)                                                           \
	engine_fail_about((op)->ctx, (ref), ctx_fail_kind((op)->ctx, (err), (int) (kind), __VA_ARGS__))
struct result engine_fail_about(struct ctx *c, const struct ref *ref, struct result failed);

/* ---- operation.c ---- */

/* Returns an id that differs from all rows of the kind in its visible prefix. */
uuid engine_new_id(const struct op *op, enum kind kind);
bool engine_id_is_taken(const struct op *op, enum kind kind, uuid id); /* true if a row has that prefix */
/* The id as the caller knows it. In the arena. */
struct str engine_write_id(const struct op *op, enum kind kind, uuid id);
/* A ref to a known row, for a further operation; its failures report that field. */
struct ref engine_ref_to(const struct op *op, enum kind kind, uuid id, struct str field);
/* The router if it belongs to the account, so that its groups apply to the account's ports behind it. NULL:
 * another owner, or no router. */
const struct router *engine_router_of(const struct op *op, uuid id, uuid account);
/* Adds an event to a row's history, which the row's owner reads. kind, `what` and format are its code, which
 * the console translates (store/event.h): format is a literal, and holds whole sentences. A value is a name, a
 * number, or one word of a list; a choice of phrases is a choice of formats. */
RESULT engine_log_event(struct op *op, enum kind kind, const struct row *row, const char *what,
			const char *format, ...) __attribute__((format(printf, 5, 6)));
RESULT engine_vlog_event(struct op *op, enum kind kind, const struct row *row, const char *what,
			 const char *format, va_list values) __attribute__((format(printf, 5, 0)));
/* The same for a sentence out of a table: it has no arguments. */
RESULT engine_log_sentence(struct op *op, enum kind kind, const struct row *row, const char *what,
			   const char *sentence);
/* The same for a reader of its own; UUID_NONE: administrators alone. */
RESULT engine_log_event_to(struct op *op, uuid reader, enum kind kind, uuid id, const char *what,
			   const char *format, ...) __attribute__((format(printf, 6, 7)));
/* Draws the next value of a counter stored as a setting, starting at 1. */
RESULT engine_draw_number(struct op *op, struct str setting, int64_t *ret_number);
/* CHOICE_DEFAULT: no change. */
static inline void choice_apply(enum choice choice, bool *value)
{
	if (choice != CHOICE_DEFAULT)
		*value = choice == CHOICE_YES;
}
static inline bool choice_or(enum choice choice, bool otherwise)
{
	choice_apply(choice, &otherwise);
	return otherwise;
}

/* True if the request was refused and would be refused again; false for an internal failure or a busy
 * state. */
static inline bool engine_is_refusal(enum err err)
{
	return err != ERR_NONE && err != ERR_NO_MEMORY && err != ERR_IO && err != ERR_INTERNAL &&
	       err != ERR_AGAIN;
}

/* Finds the row that the ref names, which the caller may change, and checks that it may do this to the row:
 * engine_find_own() and engine_permit(). Typed forms for each kind: engine_permit_subnet(), … */
RESULT engine_permit_named(struct op *op, enum kind kind, const struct ref *ref, const char *permission,
			   const struct row **ret_row);
#define KIND(type, ID)                                                                                       \
	struct type;                                                                                         \
	static inline RESULT engine_permit_##type(struct op *op, const struct ref *ref,                      \
						  const char *permission, const struct type **ret_row)       \
	{                                                                                                    \
		const struct row *row = 0;                                                                   \
		TRY(engine_permit_named(op, KIND_##ID, ref, permission, &row));                              \
		*ret_row = (const struct type *) row;                                                        \
		return OK;                                                                                   \
	}
#include "model/kinds.def"

/* 1 to 255 characters; ERR_INVALID with the kind. */
RESULT engine_check_name(struct op *op, enum kind kind, struct str name);
/* Checks a name that operators use in commands: 1 to WORD_MAX letters, digits, '-', '_' and '.'. ERR_INVALID
 * with the field `name`. */
enum { WORD_MAX = 64 };
RESULT engine_check_word(struct op *op, enum kind kind, struct str name);
/* Forgets all rows of a kind under a key of a one-field index. */
#define FORGET_EACH(op, type, index, key)                                                                    \
	do {                                                                                                 \
		for (const struct type *each_ = type##_first_by_##index((op)->head, key); each_;             \
		     each_ = type##_next_by_##index((op)->head, each_))                                      \
			TRY(type##_forget(op, each_->row.id));                                               \
	} while (0)
