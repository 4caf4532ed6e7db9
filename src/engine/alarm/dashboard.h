/* SPDX-License-Identifier: Apache-2.0
 * Dashboards: documents that name metrics and alarms, stored and shown as their users wrote them. */
#pragma once

#include "engine/operation.h"
#include "store/dashboard.h"

enum { DASHBOARD_NAME_MAX = 255, DASHBOARD_BODY_MAX = 131072, DASHBOARDS_DELETED_MAX = 100 };

/* "arn:aws:cloudwatch::111122223333:dashboard/web". row NULL: the ARN of all dashboards of the account. */
struct str engine_write_dashboard_arn(struct arena *a, struct str account_number, const struct row *row);

struct dashboard_wish {
	struct str name, body;
	/* output: */
	uuid made;
};
/* Creates the dashboard, or replaces its body. ERR_QUOTA. */
OPERATION(engine_put_dashboard, dashboard_wish)

struct dashboards_wish {
	struct refs dashboards;
};
OPERATION(engine_delete_dashboards, dashboards_wish)
