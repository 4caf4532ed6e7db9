# SPDX-License-Identifier: Apache-2.0
"""The parts of a benchmark run: what measures each, what a part needs, and the figures that it prints. bench/run fails a part that ends
without one of them."""
import collections

import balancers
import ceph_launches
import console_pages
import databases
import kubernetes_tour
import lists
import migrations
import other_clouds
import rates
import sandbox_launches
import scale
import snapshot_blocks
import stream

# needs: "root" for hosts and guests, "programs" for what tools/clients compiles in a quarter of an hour (by prepare(), which no
# limit bounds). is_quick: a part of --quick.
Part = collections.namedtuple("Part", "name module measure needs is_quick figures")

PARTS = [
    Part("launches", rates, rates.measure_launches, "", True, ["run_instances_accepted_per_s"]),
    Part("metering", rates, rates.measure_metering, "", True, ["metered_launch_us"]),
    Part("descriptions", rates, rates.measure_lists, "", True, [
        "describe_instances_100_per_s", "servers_detail_100_per_s", "list_virtual_machines_100_per_s", "az_vm_list_100_per_s", "token_check_us"]),
    Part("stores", databases, databases.measure_stores, "", True, [
        "sqlite_launches_per_s", "sqlite_launch_p50_us", "postgresql_launches_per_s", "postgresql_launch_p50_us"]),
    Part("members", databases, databases.measure_members, "", False, [
        "three_dari_rss_mib", "three_dari_cpu_percent", "takeover_p50_ms", "takeover_p90_ms", "takeover_max_ms"]),
    Part("policy", rates, rates.measure_policy, "", True, ["policy_50_statements_us"]),
    Part("template", rates, rates.measure_template, "", True, ["template_200_resources_ms"]),
    Part("rating", rates, rates.measure_rating, "", True, ["rate_a_month_ms", "rate_a_month_mib", "focus_rows"]),
    Part("blocks", snapshot_blocks, snapshot_blocks.measure, "", True, ["block_write_mib_per_s", "block_read_mib_per_s"]),
    Part("clouds", other_clouds, other_clouds.measure, "", True, [
        "other_cloud_first_listing_ms", "other_cloud_rss_mib", "other_cloud_listing_ms", "other_cloud_listing_commits",
        "other_dari_first_listing_ms"]),
    Part("stream", stream, stream.measure, "", True, [
        "stream_processor_percent", "stream_late_p50_ms", "stream_late_p99_ms", "stream_viewer_kib"]),
    Part("console", console_pages, console_pages.measure, "", True, [
        "console_first_paint_ms", "console_code_kib", "console_10000_rows_ms", "console_heap_mib", "console_elements", "console_sort_ms",
        "console_filter_ms", "console_change_p50_ms", "console_change_p99_ms", "console_launches_per_s", "console_launch_us"]),
    Part("scale", scale, scale.measure, "", True, [
        "scale_rss_mib", "scale_placement_us", *(f"scale_by_{word}_cpu_us" for word in ("id", "vpc", "subnet", "state", "tag", "tag_key")),
        "scale_page_1000_p50_ms", "scale_page_1000_p99_ms", "scale_launches_meanwhile_per_s", "scale_ready_s"]),
    Part("lists", lists, lists.measure, "", False, [f"describe_{name}_plain_us_an_item" for name in lists.LISTS]),
    Part("idle", rates, rates.measure_idle, "", False, ["idle_sim_rss_mib", "idle_sim_cpu_percent"]),
    Part("guests", sandbox_launches, sandbox_launches.measure, "root", False, [
        "idle_rss_mib", "idle_cpu_percent", "request_to_running_ms", "server_create_to_active_ms", "deploy_to_running_ms",
        "large_request_to_running_ms", "ready_after_start_ms"]),
    Part("moves", migrations, migrations.measure, "root", False, ["move_ms", "move_settled_ms", "drain_ms"]),
    Part("balancers", balancers, balancers.measure, "root", False, [
        "haproxy_requests_per_s", "haproxy_request_us", "ovn_balancer_requests_per_s", "l4_change_ms", "l4_change_cpu_ms", "l7_change_ms"]),
    Part("kubernetes", kubernetes_tour, kubernetes_tour.measure, "programs", False, list(kubernetes_tour.FIGURES)),
    Part("pools", ceph_launches, ceph_launches.measure, "root", False, ["launch_in_ceph_ms"]),
]


def shorten():
    """Sizes with which each part runs for seconds. A size that its module does not have is a mistake here."""
    for module in {part.module for part in PARTS}:
        for name, value in module.BRIEF.items():
            if not hasattr(module, name):
                raise AttributeError(f"BRIEF of {module.__name__} names {name}, which is no size there")
            setattr(module, name, value)
