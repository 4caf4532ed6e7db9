/* SPDX-License-Identifier: Apache-2.0
 * A part of test_limits.c, behind its macros: fleets, spot requests and capacity reservations. */
#pragma once

#include "engine/backup/backup_vault.h"

static RESULT make_backup_plan(struct cloud *c, int n)
{
	struct str name = str_print(c->arena, "plan-%d", n), schedule = STR("30"), key = STR("backup");
	struct backup_plan_wish wish = {.target = STR("file:///backups"),
					.name = &name,
					.schedule = &schedule,
					.tag_key = &key,
					.sets_interval = true,
					.interval = BACKUP_PLAN_INTERVAL_HOURLY};
	struct result result = cloud_run(c, &c->alice, engine_create_backup_plan_run, &wish);
	if (result_is_ok(result))
		made = wish.made;
	return result;
}

static void drop_backup_plan(struct cloud *c)
{
	struct backup_plan_target wish = {ref_to(c, KIND_BACKUP_PLAN, made)};
	cloud_ok(c, &c->alice, engine_delete_backup_plan, &wish);
}

MADE(backup_vault, engine_create_backup_vault, backup_vault_wish, made, .name = numbered(c, "vault", n))
DROP(backup_vault, engine_delete_backup_vault, backup_vault_target,
     .vault = ref_to(c, KIND_BACKUP_VAULT, made))

static void tell_nothing(void *arg, struct result result, struct str *ret_code, struct str *ret_message)
{
	(void) arg;
	*ret_code = str_from(err_name(result.code));
	*ret_message = STR_NONE;
}
static RESULT make_fleet(struct cloud *c, int n)
{
	struct fleet_wish wish = {.target = FLEET_UNIT, .tell = tell_nothing};
	(void) n;
	MAKE(c, &c->alice, engine_create_fleet, wish, fleet);
}
static RESULT make_spot_request(struct cloud *c, int n)
{
	struct spot_requesting wish = {.launch = cloud_launch(c, 1), .count = 1};
	(void) n;
	wish.launch.spot = (struct spot_wish){.is_spot = true, .valid_from_us = INT64_MAX};
	MAKE(c, &c->alice, engine_request_spot, wish, made.at[0]);
}
static void drop_spot_request(struct cloud *c)
{
	struct ref ref = ref_to(c, KIND_SPOT_REQUEST, made);
	struct spot_cancelling wish = {.requests = {&ref, 1}};
	cloud_ok(c, &c->alice, engine_cancel_spot, &wish);
}
static void drop_fleet(struct cloud *c)
{
	struct fleet_change change = {.fleet = ref_to(c, KIND_FLEET, made)};
	struct fleets_target wish = {&change, 1, false};
	cloud_ok(c, &c->alice, engine_delete_fleets, &wish);
}
static RESULT make_capacity_reservation(struct cloud *c, int n)
{
	struct capacity_wish wish = {.type = ref_named(KIND_INSTANCE_TYPE, "t3.nano"),
				     .zone = ref_named(KIND_ZONE, "xy-west-2a"),
				     .count = 1};
	(void) n;
	MAKE(c, &c->alice, engine_create_capacity_reservation, wish, made);
}
static void drop_capacity_reservation(struct cloud *c)
{
	struct capacity_target wish = {ref_to(c, KIND_CAPACITY_RESERVATION, made)};
	cloud_ok(c, &c->alice, engine_cancel_capacity_reservation, &wish);
}
