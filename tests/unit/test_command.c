/* SPDX-License-Identifier: ISC
 *
 * The table of commands: each row is whole, and is found by its names, beginnings of
 * them, and its letters.
 */
#include "applets/control/command.h"

#include <string.h>

#include "tests/unit/test.h"

static void rows(void)
{
	for (int i = 0; i < commands_n; i++) {
		const struct command *cmd = &commands[i];
		struct word_miss miss;

		CHECK(cmd->name && cmd->aliases && cmd->letters && cmd->usage && cmd->help && cmd->example);
		CHECK((cmd->is_local || cmd->is_repeated) == !cmd->run);
		CHECK(cmd->min_words <= cmd->max_words);
		CHECK(strstr(cmd->example, cmd->name));
		CHECK(command_find(cmd->name, &miss) == cmd);
		for (const char *l = cmd->letters; *l; l++)
			CHECK(command_find_letter((unsigned char)*l) == cmd);
	}
	CHECK(!command_find_letter(0) && !command_find_letter('W') && !command_find_letter('a' + 256));
}

/* The name of what a word means, or the candidates. */
static const char *meaning(const char *word)
{
	static struct word_miss miss;
	const struct command *cmd = command_find(word, &miss);

	return cmd ? cmd->name : miss.candidates;
}

/* Words that people try: none is a name or the beginning of one, and each row has what they meant. */
static void tried(void)
{
	struct word_miss miss;

	for (int i = 0; i < commands_n; i++) {
		char list[128], *at = list;

		snprintf(list, sizeof list, "%s", commands[i].tried ? commands[i].tried : "");
		for (char *word; (word = strtok_r(at, " ", &at)); ) {
			CHECK(!command_find(word, &miss) && !miss.is_ambiguous);
			CHECK_STR(miss.near, commands[i].name);
		}
	}
	CHECK(!command_find("STOP", &miss));
	CHECK_STR(miss.near, "kill");
	CHECK(!command_find("sto", &miss));
	CHECK(strcmp(miss.near, "kill") != 0);
}

static void words(void)
{
	CHECK_STR(meaning("del"), "remove");
	CHECK_STR(meaning("restart"), "reload");
	CHECK_STR(meaning("rem"), "remove");
	CHECK_STR(meaning("s"), "show");
	CHECK_STR(meaning("rel"), "reload");
	CHECK_STR(meaning("re"), "replace remove rem reload restart");
	CHECK_STR(meaning("Show"),
		  "add replace remove join leave disown flush reload upgrade kill show monitor top ping help version");
	CHECK_STR(meaning(""), meaning("nonsense"));
	CHECK_STR(meaning("showx"), meaning("nonsense"));
}

/* The name that a word was probably meant to be. */
static const char *near(const char *word)
{
	static struct word_miss miss;

	CHECK(!command_find(word, &miss));
	return miss.near;
}

static void slips(void)
{
	CHECK_STR(near("shwo"), "show");
	CHECK_STR(near("SHOW"), "show");
	CHECK_STR(near("moniter"), "monitor");
	CHECK_STR(near("restrat"), "restart");
	CHECK_STR(near("dle"), "del");
	CHECK_STR(near("foo"), "");
	CHECK_STR(near(""), "");
	CHECK_STR(near("re"), "");
}

TEST_MAIN(TEST(rows) TEST(words) TEST(tried) TEST(slips))
