// The report of `troupe status`, on the wire, as a table and as JSON.
#include "fleet/cli/report_text.h"

#include "tests/unit.h"

static report *
s_sample(void)
{
    report *made = report_new();
    made->pid = 100;
    made->age_ms = 61500;
    made->workers = 2;
    snprintf(made->state, sizeof made->state, "up");
    snprintf(made->front, sizeof made->front, "ipc:///run/front");
    snprintf(made->reload, sizeof made->reload, "failed");
    snprintf(made->reload_why, sizeof made->reload_why, "exit code 3: \"quoted\"\n");
    made->has_broker = true;
    made->broker = (broker_figures){.sessions = 5, .clients = 1, .forwarded = 9};
    report_row *row = report_add(made);
    snprintf(row->name, sizeof row->name, "worker-1");
    snprintf(row->state, sizeof row->state, "ready");
    row->pid = 101;
    row->generation = 3;
    row->age_ms = 4200;
    row->has_figures = true;
    row->figures = (worker_figures){.pid = 101, .sessions = 5, .views = 6, .turns = 70};
    row = report_add(made);
    snprintf(row->name, sizeof row->name, "worker-2");
    snprintf(row->state, sizeof row->state, "backoff");
    snprintf(row->last, sizeof row->last, "killed by SIGKILL");
    row->age_ms = 90061000;
    return made;
}

static void
test_round_trip(void)
{
    report *made = s_sample(), *got = report_new();
    buffer body, again;
    buffer_init(&body);
    buffer_init(&again);
    report_encode(made, &body);
    CU_ASSERT_EQUAL(report_decode(buffer_bytes(&body), got), OK);
    CU_ASSERT_EQUAL(got->count, 2);
    CU_ASSERT_EQUAL(got->broker.forwarded, 9);
    CU_ASSERT_EQUAL(got->rows[0].figures.turns, 70);
    CU_ASSERT_FALSE(got->rows[1].has_figures);
    report_encode(got, &again);
    CU_ASSERT_TRUE(slice_equal(buffer_bytes(&body), buffer_bytes(&again)));
    for (size_t size = 0; size < body.size; size++)
        CU_ASSERT_NOT_EQUAL(report_decode(slice_of(body.data, size), got), OK);
    buffer_fini(&body);
    buffer_fini(&again);
    report_destroy(&made);
    report_destroy(&got);
}

static void
test_texts(void)
{
    report *made = s_sample();
    buffer out;
    buffer_init(&out);
    report_table(made, &out);
    buffer_byte(&out, '\0');
    CU_ASSERT_PTR_NOT_NULL(
        strstr((char *)out.data, "fleet up, pid 100, 2 workers, for 1m01s, at ipc:///run/front\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr((char *)out.data, "worker-1         101  ready       4.2s"));
    CU_ASSERT_PTR_NOT_NULL(strstr((char *)out.data, "worker-2           -  backoff    1d01h"));
    CU_ASSERT_PTR_NOT_NULL(strstr((char *)out.data, "  killed by SIGKILL\n"));
    buffer_clear(&out);
    report_json(made, &out);
    buffer_byte(&out, '\0');
    CU_ASSERT_PTR_NOT_NULL(strstr((char *)out.data, "\"why\": \"exit code 3: \\\"quoted\\\"\\u000a\""));
    CU_ASSERT_PTR_NOT_NULL(strstr((char *)out.data, "\"pid\": 101, \"age_ms\": 4200"));
    buffer_fini(&out);
    report_destroy(&made);
}

static void
test_figures(void)
{
    static const char *const numbers[] = {"sessions", "clients", "forwarded", "replies", "refused",
                                          "busy",     "stale",   "malformed", "dropped", "uptime_ms"};
    static const char *const of_worker[] = {"pid", "sessions", "views", "queued", "running", "turns"};
    buffer body;
    buffer_init(&body);
    writer writer = writer_on(&body);
    writer_map(writer, 1);
    writer_key(writer, "figures");
    writer_map(writer, 11);
    for (unsigned i = 0; i < 10; i++)
        writer_key_uint(writer, numbers[i], i);
    writer_key(writer, "workers");
    writer_list(writer, 2);
    for (unsigned k = 1; k <= 2; k++) {
        writer_map(writer, 6);
        for (unsigned i = 0; i < 6; i++)
            writer_key_uint(writer, of_worker[i], k * 10 + i);
    }
    broker_figures got;
    worker_figures worker;
    CU_ASSERT_EQUAL(broker_figures_decode(buffer_bytes(&body), &got), OK);
    CU_ASSERT_EQUAL(got.busy, 5);
    CU_ASSERT_EQUAL(got.dropped, 8);
    CU_ASSERT_TRUE(worker_figures_find(&got, 20, &worker));
    CU_ASSERT_EQUAL(worker.turns, 25);
    CU_ASSERT_FALSE(worker_figures_find(&got, 30, &worker));
    CU_ASSERT_NOT_EQUAL(broker_figures_decode(slice_text("\x80"), &got), OK);
    buffer_fini(&body);
}

static const unit_test s_tests[] = {
    {"there and back", test_round_trip},
    {"as a table, as JSON", test_texts},
    {"what the broker says", test_figures},
};
UNIT_MAIN("report", s_tests)
