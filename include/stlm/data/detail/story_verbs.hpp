// The verbs of the embedded stories, in the past tense; those of `swim` in the infinitive.
#pragma once

#include <string_view>

namespace stlm::detail {

inline constexpr std::string_view story_verbs = R"(
went = climbed | crept | cycled | dashed | drove | flew | hiked | hopped | hurried | jogged | marched | raced | ran |
    rode | rowed | rushed | sailed | skated | skipped | sneaked | strolled | swam | trotted | walked | wandered | went;
swim = bark | climb | crawl | dance | dig | dive | fly | gallop | growl | hide | hop | howl | hum | hunt | jump | leap |
    march | paddle | roar | roll | run | sing | skate | skip | slide | sneak | spin | swim | swing | trot | whistle |
    wiggle;
danced = bounced | chatted | cooked | danced | hopped | joked | jumped | painted | played | raced | ran | read |
    rested | rode | sang | sat | slept | snored | spun | swam | swung | waited | walked | worked;
talked = argued | asked | chatted | dreamed | joked | laughed | learned | read | sang | spoke | talked | thought |
    whispered | wondered | worried | wrote;
laughed = blushed | bowed | cheered | chuckled | clapped | cried | frowned | giggled | grinned | hummed | laughed |
    nodded | shrugged | sighed | smiled | sneezed | waved | whistled | winked | yawned;
licked = bit | brushed | bumped | grabbed | hit | hugged | kicked | kissed | licked | nibbled | nudged | patted |
    poked | pulled | pushed | rubbed | scratched | shook | sniffed | squeezed | stroked | tapped | tickled | touched;
saw = found | noticed | saw | spotted;
carried = brought | carried | dragged | kicked | pulled | pushed | rolled | threw;
dropped = dropped | forgot | left | lost;
put = dropped | put | set | threw;
gave = brought | gave | handed | offered;
baked = baked | cooked | made | prepared;
made = built | made;
tripped = fell | rolled | stumbled | tripped;
)";

}  // namespace stlm::detail
