// The plots of the embedded stories, in the notation of story_grammar.hpp. A rule is named after one of its rows or after
// what its rows have in common, so that a plot reads like one of its stories.
//
// Words have files of their own: story_nouns.hpp, story_modifiers.hpp, story_verbs.hpp. The test of the grammar checks two rules
// of them. No word is a prefix of another in its list (no bus beside bush), so that a story can be read back. A word that may
// follow "a" begins with a consonant.
#pragma once

#include <string_view>

namespace stlm::detail {

inline constexpr std::string_view story_plots = R"(
story = [lost] | [found] | [gift] | [weather] | [race] | [feast] | [hide] | [stuck] | [trade] | [dream] | [built] |
    [seed] | [hurt] | [noise] | [share] | [learn];

lost = [opening] {He} [dropped] {his} [red] [thing] [under] a [big] [tree]. [soon] a [kind] [creature] [saw] it and
    [slowly] [carried] it back. [friends];

found = [opening] [Under] a [big] [tree] {he} [saw] a [red] [thing]. [pal] the [baker] had lost it and [slowly] [gave]
    {him} a [sweet] [pear] for it. [end];

gift = One [cold] [day] [hero] made a [red] [thing] for [pal] the [baker] with [wood] and [paint]. {He} [slowly] hid it
    [under] a [big] [tree], but a [kind] [creature] [licked] it. [friends];

weather = [opening] [soon] there was [snow]. {He} [slowly] hid [under] a [big] [tree] with a [kind] [creature]. They
    ate a [sweet] [pear] and [talked] about [topic]. [friends];

race = [opening] {He} raced a [kind] [creature] to a [big] [tree]. The {creature} [slowly] [tripped] over a [red]
    [thing], so {hero} won a [sweet] [pear]. [friends];

feast = One [cold] [day] [hero] and [pal] [baked] a [sweet] [cake] with [flour] and [sugar]. [soon] a [kind]
    [creature] [slowly] [put] a [red] [thing] on it, and it tasted [good]. [friends];

hide = [opening] {He} hid from [pal] [under] a [big] [tree]. [soon] a [kind] [creature] [slowly] [licked] {his} [leg].
    {hero} [laughed], and {pal} found {him}. [friends];

stuck = [opening] A [kind] [creature] was stuck [under] a [big] [tree]. {hero} [slowly] freed it with a [red] [thing]
    and [gave] it a [sweet] [pear]. [friends];

trade = [opening] There [pal] the [baker] had a [kind] [creature]. {hero} [slowly] [gave] {pal} a [red] [thing] and a
    [sweet] [pear] for it. [friends];

dream = One [cold] [day] [hero] slept [under] a [big] [tree]. {He} dreamed of a [kind] [creature] that [slowly]
    [talked] about [topic] and [gave] {him} a [red] [thing] and a [sweet] [pear]. [end];

built = [opening] {He} and [pal] [made] a [big] [house] with [wood] and [paint]. [soon] a [kind] [creature] [slowly]
    [danced] on it, and it fell on a [red] [thing]. [friends];

seed = One [cold] [day] [hero] put a [red] seed [under] a [big] [tree]. {He} [gave] it [water] and [talked] about
    [topic]. A [sweet] [pear] grew, and a [kind] [creature] [slowly] ate it. [friends];

hurt = [opening] A [kind] [creature] had hurt its [leg] on a [red] [thing]. {hero} [slowly] put [honey] on the {leg}
    and [gave] the {creature} a [sweet] [pear]. [friends];

noise = One [cold] [day] [hero] heard a [loud] noise [under] a [big] [tree]. {He} took a [red] [thing] and [slowly]
    [went] there. It was a [kind] [creature] with a [sweet] [pear]. [friends];

share = [opening] {He} had a [sweet] [pear], and a [kind] [creature] had a [sour] [cake]. They [slowly] shared the
    {cake} [under] a [big] [tree]. [friends];

learn = One [cold] [day] [hero] wanted to [swim] like a [kind] [creature]. {He} [slowly] tried it [under] a [big]
    [tree] but hurt {his} [leg]. [pal] the [baker] put [honey] on it and [gave] {him} a [sweet] [pear]. [end];

opening = One [cold] [day] [hero] [went] to a [quiet] [place].
    | [hero] [went] to a [quiet] [place] one [cold] [day].
    | One [cold] [day] [hero] took a [red] [thing] to a [quiet] [place].;

end = {hero} felt [glad] and [tired].
    | {He} [slowly] [went] home to {his} [kin].
    | {He} told {his} [kin] and [laughed].;

friends = {hero} was [glad], and the {creature} was [tired].
    | {hero} named the {creature} [pet].
    | They [slowly] [danced] and [laughed].
    | They [slowly] [danced] and ate a [sweet] [cake].;
)";

}  // namespace stlm::detail
