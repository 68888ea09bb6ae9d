// The adjectives, adverbs and prepositions of the embedded stories.
#pragma once

#include <string_view>

namespace stlm::detail {

inline constexpr std::string_view story_modifiers = R"(
cold = bleak | bright | busy | calm | chilly | clear | cloudy | cold | cool | damp | dark | dry | dull | fine | foggy |
    gloomy | golden | grey | happy | hazy | hot | icy | lazy | lonely | long | lovely | lucky | merry | mild | misty |
    nice | pale | pleasant | quiet | rainy | sad | silent | sleepy | slow | snowy | soft | special | still | stormy |
    strange | sunny | sweet | warm | wet | wild | windy | wintry;
kind = black | bold | brave | bright | busy | calm | careful | cheerful | clever | clumsy | cold | cool | cross |
    curious | cute | dizzy | dusty | fast | fat | fierce | fluffy | friendly | funny | furry | gentle | giant | good |
    greedy | grey | grumpy | happy | huge | hungry | jolly | keen | kind | large | lazy | little | lonely | lost |
    loud | lucky | merry | moody | muddy | naughty | neat | nervous | noisy | nosy | pale | plump | polite | proud |
    quick | quiet | red | royal | rude | sad | scared | shy | sick | silly | sleepy | slim | slow | sly | small | soft |
    strong | stubborn | sweet | tall | thin | thirsty | timid | tiny | tired | tough | vain | warm | weak | wet |
    white | wild | wise | worried | young;
glad = amazed | brave | calm | cheerful | clever | content | delighted | excited | free | friendly | glad | grateful |
    happy | hopeful | jolly | joyful | keen | kind | lucky | merry | peaceful | playful | pleased | proud | relaxed |
    relieved | safe | strong | thankful | thrilled | warm | wise;
tired = afraid | angry | bored | busy | cold | confused | cross | curious | dizzy | dusty | full | grumpy | hot |
    hungry | jealous | lazy | muddy | nervous | puzzled | quiet | sad | scared | shy | silly | sleepy | sorry |
    surprised | thirsty | tired | upset | wet | worried;
red = beautiful | big | black | blue | brass | broken | brown | cheap | clean | copper | cute | dirty | dull | fancy |
    fine | fluffy | funny | glass | gold | green | grey | heavy | huge | large | light | little | lovely | magic |
    muddy | neat | new | paper | pink | plain | plastic | pretty | purple | rare | red | round | royal | rusty | shiny |
    short | silver | simple | small | smooth | soft | spare | spotted | square | strange | striped | strong | thick |
    thin | tiny | warm | wet | white | wooden | worn | yellow;
big = bent | big | black | blue | broad | broken | brown | cracked | crooked | dark | dirty | dusty | fancy | fine |
    funny | giant | grand | green | grey | heavy | high | huge | large | little | long | lovely | low | massive |
    mossy | new | painted | pale | pink | plain | pretty | red | round | rusty | shaky | shiny | short | silver |
    simple | small | square | steep | strange | strong | tall | thick | thin | tiny | warm | wet | white | wide |
    wobbly | wooden | worn | yellow;
quiet = beautiful | big | bright | busy | cheerful | clean | cold | cosy | damp | dark | distant | dull | dusty |
    famous | foggy | forgotten | funny | gloomy | grand | great | green | grey | haunted | hidden | hot | huge | large |
    lonely | lovely | magic | misty | muddy | narrow | nearby | new | nice | noisy | peaceful | pretty | quiet | rocky |
    royal | ruined | sandy | secret | shady | silent | sleepy | small | snowy | steep | strange | sunny | tidy | tiny |
    vast | warm | wet | wide | wild | windy;
sweet = big | bitter | black | brown | burnt | cheap | cold | crisp | crunchy | dry | fine | fresh | fried | frozen |
    giant | golden | good | great | green | hard | hot | huge | juicy | large | little | mild | moist | pink | plain |
    purple | raw | red | rich | ripe | rotten | round | salty | small | smoked | soft | sour | spicy | sticky | sweet |
    tasty | tender | tiny | warm | wet | white | whole | yellow | yummy;
sour = big | burnt | cheap | cold | creamy | crisp | dry | fine | fresh | frozen | good | greasy | great | hot | huge |
    little | nice | plain | rich | salty | small | smoked | soft | spicy | stale | sticky | sweet | tasty | tiny |
    warm | wet | yummy;
good = awful | bad | better | bitter | burnt | delicious | divine | dull | fishy | fresh | funny | good | great |
    heavenly | hot | lovely | mild | nice | nutty | odd | perfect | rich | salty | smoky | sour | spicy | stale |
    strange | sweet | terrible | wonderful | worse;
loud = buzzing | clicking | creepy | deep | dull | faint | funny | high | hissing | humming | loud | low | rattling |
    rumbling | scary | scratching | sharp | soft | squeaky | strange | sudden | weird | whistling | wild;

slowly = boldly | bravely | brightly | busily | calmly | carefully | cheerfully | clumsily | coolly | eagerly | firmly |
    fondly | gently | gladly | gracefully | happily | hastily | humbly | joyfully | keenly | kindly | lazily | lightly |
    merrily | neatly | nervously | nicely | nimbly | patiently | playfully | politely | promptly | proudly | quickly |
    rapidly | sadly | secretly | shyly | sleepily | slowly | softly | steadily | sweetly | swiftly | timidly | tiredly |
    warmly | wisely;
soon = At last | At once | In the end | Just then | Later | Soon | Suddenly | Then;

under = above | behind | below | beside | by | near | on | under;
)";

}  // namespace stlm::detail
