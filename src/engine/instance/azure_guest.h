/* SPDX-License-Identifier: Apache-2.0
 * Azure's side of an instance: what its guest is told to make of itself, what its agent reports, and the extensions
 * that the agent fetches and runs. How the agent asks: api/metadata/azure_wire.c, azure_host.c. */
#pragma once

#include "engine/operation.h"
#include "model/azure_guest.h"
#include "model/instance_extension.h"

enum {
	AZURE_KEYS_MAX = 16,
	AZURE_NAME_MAX = 64,         /* of a user, and of a computer that runs Linux */
	AZURE_WINDOWS_NAME_MAX = 15, /* of a computer that runs Windows: NetBIOS has no more */
	AZURE_TEXT_MAX = 4096,
	AZURE_CUSTOM_DATA_MAX = 64 * 1024,
	EXTENSIONS_OF_INSTANCE_MAX = 32,
	EXTENSION_NAME_MAX = 80,
	EXTENSION_SETTINGS_MAX = 64 * 1024,
	EXTENSION_MESSAGE_MAX = 16 * 1024, /* more of it is cut off */
};

/* What the guest has of Azure; NULL: nothing was said or reported so far. */
const struct azure_guest *engine_find_azure_guest(const struct tables *t, uuid instance);

/* ---- what the guest is told ---- */

/* Of an instance that the caller may change, mostly one that the same change makes. ERR_INVALID: more than
 * AZURE_KEYS_MAX keys, as many paths as keys are not there, or a text is too long. */
struct azure_profile_wish {
	struct ref instance;
	struct str computer_name, admin_username;
	struct strs keys, key_paths;
	bool allows_password, lacks_agent;
	struct str custom_data; /* bytes, decoded */
	/* Of Windows. */
	bool manual_updates, takes_winrm;
	struct str time_zone; /* "Korea Standard Time"; empty: the image's */
};
OPERATION(engine_set_azure_profile, azure_profile_wish)

/* ---- extensions ---- */

/* A program that agents can be told to run. */
struct extension_program {
	const char *publisher, *type, *version;
};
/* Types that begin so, and a "_", are all its program: for commands that are kept under names. */
#define EXTENSION_OF_COMMANDS "RunCommandHandlerLinux"
/* One after the other; NULL: there is no such number. */
const struct extension_program *engine_get_program(size_t number);
bool engine_is_kept_command(const struct instance_extension *e);
/* NULL: there is none of that name, whose letters may be in any case. */
const struct extension_program *engine_find_program(struct str publisher, struct str type);

/* Of one instance, in no order that means anything; those that leave are there, too. */
const struct instance_extension *engine_first_extension(const struct tables *t, uuid instance);
const struct instance_extension *engine_next_extension(const struct tables *t,
						       const struct instance_extension *e);
/* By its name, in any letter case; NULL: there is none. One that leaves is there. */
const struct instance_extension *engine_find_extension(const struct tables *t, uuid instance,
						       struct str name);

/* Sets an extension of an instance whose guest is of the personality azure, or replaces its settings. What is as
 * it was is left alone, unless `again`. ERR_STATE with KIND_INSTANCE: the instance is not on, or is of
 * another personality. ERR_NOT_FOUND with KIND_INSTANCE_EXTENSION: there is no such program. ERR_EXISTS with that
 * kind: the program is there by another name. ERR_QUOTA. ERR_INVALID: a text is too long. */
struct extension_wish {
	struct ref instance;
	const char *permission; /* NULL: "instance_extension.set" */
	struct str name, publisher, type, version;
	bool auto_upgrade, again;
	struct str settings;           /* JSON */
	struct str protected_settings; /* sealed; empty: none */
	struct str key,
		certificate; /* what these shall be encrypted to, where the guest has none; sealed PEM, DER */
	/* made: */
	uuid extension;
	bool is_new;
};
OPERATION(engine_set_extension, extension_wish)

/* The guest is told to remove it; it goes when that was reported, at once where no program of its was there.
 * ERR_NOT_FOUND. ERR_STATE as above. */
struct extension_target {
	struct ref instance;
	struct str name;
	/* found: */
	uuid extension;
};
OPERATION(engine_delete_extension, extension_target)

/* Whether what was set last has been run to its end, well or not. */
bool engine_extension_has_ended(const struct instance_extension *e);

/* ---- reports of guests; an absent instance: ERR_GONE ---- */

struct azure_health_report {
	uuid instance;
	enum azure_guest_health health;
	struct str text;
};
OPERATION(engine_report_azure_health, azure_health_report)

struct extension_report {
	struct str handler; /* "Dari.RunCommand" */
	struct str handler_version, handler_state, handler_message;
	bool has_status;
	int64_t sequence, code;
	enum instance_extension_status status;
	struct str message;
};
struct azure_status_report {
	uuid instance;
	struct str agent_version, agent_state, os_name, os_version;
	const struct extension_report *extensions;
	size_t extension_count;
};
/* Whether the report says what is not known so far: others need no change. */
bool engine_is_azure_status_new(const struct tables *t, const struct azure_status_report *report);
OPERATION(engine_report_azure_status, azure_status_report)
