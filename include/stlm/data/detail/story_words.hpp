// The words of the embedded stories, in the notation of story_grammar.hpp, grouped by their use in a story.
//
// The test of the grammar checks two rules. No word is a prefix of another in its list (no bus beside bush), so that a
// story can be read back. A word that may follow "a" begins with a consonant.
#pragma once

#include <string_view>

namespace stlm::detail {

inline constexpr std::string_view story_words = R"(
hero/he/his/him = Abby/she/her/her | Alma/she/her/her | Amy/she/her/her | Anna/she/her/her | Ava/she/her/her |
    Bea/she/her/her | Bella/she/her/her | Betty/she/her/her | Clara/she/her/her | Cora/she/her/her | Daisy/she/her/her |
    Dora/she/her/her | Edna/she/her/her | Ella/she/her/her | Emma/she/her/her | Eva/she/her/her | Fay/she/her/her |
    Freya/she/her/her | Gina/she/her/her | Hana/she/her/her | Ida/she/her/her | Iris/she/her/her | Ivy/she/her/her |
    Jane/she/her/her | Jill/she/her/her | Julia/she/her/her | Kate/she/her/her | Lea/she/her/her | Lily/she/her/her |
    Lucy/she/her/her | Maya/she/her/her | Mia/she/her/her | Nina/she/her/her | Nora/she/her/her | Olga/she/her/her |
    Pia/she/her/her | Rita/she/her/her | Rosa/she/her/her | Ruby/she/her/her | Sara/she/her/her | Tess/she/her/her |
    Tina/she/her/her | Ulla/she/her/her | Una/she/her/her | Vera/she/her/her | Wendy/she/her/her | Yara/she/her/her |
    Zoe/she/her/her | Adam/he/his/him | Alex/he/his/him | Amir/he/his/him | Ben/he/his/him | Bob/he/his/him |
    Carl/he/his/him | Cem/he/his/him | Dan/he/his/him | Dave/he/his/him | Eric/he/his/him | Ezra/he/his/him |
    Finn/he/his/him | Fred/he/his/him | Gus/he/his/him | Hans/he/his/him | Hugo/he/his/him | Ian/he/his/him |
    Igor/he/his/him | Jack/he/his/him | Joe/he/his/him | John/he/his/him | Karl/he/his/him | Ken/he/his/him |
    Kurt/he/his/him | Lars/he/his/him | Leo/he/his/him | Luke/he/his/him | Mark/he/his/him | Max/he/his/him |
    Mike/he/his/him | Ned/he/his/him | Noah/he/his/him | Omar/he/his/him | Otto/he/his/him | Paul/he/his/him |
    Pete/he/his/him | Ravi/he/his/him | Rob/he/his/him | Sam/he/his/him | Sven/he/his/him | Ted/he/his/him |
    Tim/he/his/him | Tom/he/his/him | Umar/he/his/him | Vito/he/his/him | Will/he/his/him | Yusuf/he/his/him |
    Zack/he/his/him;

pal = Abel | Ali | Art | Bert | Bill | Cleo | Cody | Didi | Dina | Duke | Ed | Elsa | Emil | Fritz | Gino | Greta |
    Gwen | Hal | Heidi | Ines | Isa | Juno | Kim | Lena | Lola | Milo | Mona | Nico | Olaf | Paco | Pip | Polly |
    Quinn | Rex | Sid | Sue | Tara | Theo | Ugo | Ursula | Viola | Walt | Wanda | Xenia | Yoko | Yves | Zelda | Zeno;
pet = Acorn | Bandit | Biscuit | Bobo | Bubbles | Button | Captain | Clover | Coco | Cookie | Daisy | Dash | Dot |
    Fern | Fig | Fluffy | Ginger | Happy | Hazel | Honey | Iggy | Inky | Jelly | Jojo | Jolly | Kiki | Kit | Loki |
    Lucky | Lulu | Maple | Misty | Momo | Muffin | Nemo | Noodle | Nutmeg | Olly | Oreo | Paddy | Peanut | Pepper |
    Pickle | Pixie | Pom | Pudding | Roly | Rusty | Shadow | Smoky | Snowy | Socks | Sparky | Spot | Sunny | Tiger |
    Toffee | Tut | Ulla | Vesper | Waffles | Whiskers | Yoyo | Zigzag;
kin = aunt | best friend | brother | coach | cousin | dad | grandma | grandpa | mum | nanny | nephew | niece | sister |
    teacher | twin | uncle;
baker = baker | barber | bishop | builder | butcher | captain | clown | cook | dancer | dentist | diver | doctor |
    driver | elf | fairy | farmer | gardener | ghost | giant | guard | hermit | hunter | joiner | judge | king |
    knight | lawyer | maid | miller | monk | nurse | painter | pilot | pirate | plumber | poet | porter | postman |
    prince | queen | sailor | scout | shepherd | singer | smith | soldier | spy | tailor | thief | vet | waiter |
    witch | wizard | writer;
creature = ant | badger | bat | bear | beaver | beetle | bison | bug | bull | calf | camel | cat | chick | cow | crab |
    cricket | crow | deer | dog | donkey | dove | duck | eagle | elk | emu | ferret | finch | flea | foal | fox | frog |
    gnat | goat | goose | gull | hamster | hare | hawk | hedgehog | hen | horse | ibis | kitten | koala | lamb | lark |
    lion | lizard | llama | lynx | magpie | mole | monkey | moose | moth | mouse | mule | newt | otter | owl | ox |
    panda | parrot | peacock | penguin | pig | pony | puma | puppy | rabbit | ram | rat | raven | robin | rook | seal |
    sheep | skunk | slug | snail | snake | spider | squirrel | stork | swan | tapir | tiger | toad | turkey | turtle |
    wasp | wolf | worm | yak | zebra;

place = bakery | barn | bay | beach | bog | bridge | brook | camp | canyon | castle | cave | circus | cliff | cottage |
    crater | creek | dam | desert | dock | dune | factory | fair | farm | field | forest | fort | fountain | garden |
    glade | grove | harbour | hill | hut | inn | island | jungle | lagoon | lake | lane | lighthouse | market | marsh |
    maze | meadow | mill | mine | moor | mountain | museum | oasis | orchard | palace | park | path | pier |
    playground | pond | pool | port | quarry | ranch | river | road | ruin | school | shop | shore | square | stable |
    station | stream | street | swamp | temple | theatre | tower | town | track | trail | tunnel | valley | village |
    vineyard | volcano | waterfall | well | wood | yard | zoo;
tree = arch | barn | barrel | bench | birch | boat | boulder | bush | cage | cart | cave | cliff | crate | elm | fence |
    fern | fir | flower | fountain | gate | haystack | hedge | hut | kennel | ladder | ledge | log | mast | nest | oak |
    palm | pillar | pine | pole | post | pump | raft | ramp | rock | roof | root | shed | shrub | sign | slide | stair |
    statue | stump | swing | table | tank | tent | tower | tractor | tree | trough | tub | van | vine | wagon | wall |
    well | willow | windmill;
under = above | behind | below | beside | by | near | on | under;
cold = bleak | bright | busy | calm | chilly | clear | cloudy | cold | cool | damp | dark | dry | dull | fine | foggy |
    gloomy | golden | grey | happy | hazy | hot | icy | lazy | lonely | long | lovely | lucky | merry | mild | misty |
    nice | pale | pleasant | quiet | rainy | sad | silent | sleepy | slow | snowy | soft | special | still | stormy |
    strange | sunny | sweet | warm | wet | wild | windy | wintry;
day = afternoon | autumn | day | evening | Friday | Monday | morning | night | Saturday | spring | summer | Sunday |
    Thursday | Tuesday | Wednesday | winter;
snow = a blizzard | a flood | a gale | a shower | a storm | darkness | fog | hail | ice | lightning | mist | rain |
    smoke | snow | thunder | wind;
soon = At last | At once | In the end | Just then | Later | Soon | Suddenly | Then;

thing = apron | axe | badge | bag | ball | basket | bell | belt | bib | bike | blanket | boat | book | boot | bottle |
    bracelet | broom | brush | bucket | button | cage | candle | cap | card | chain | clock | coat | coin | comb |
    crayon | crown | cup | dart | dish | doll | dress | drum | fan | feather | flag | flute | fork | gem | glove |
    gong | hammer | hat | hook | horn | jar | jewel | jug | kettle | key | kite | knife | ladle | lamp | lantern |
    magnet | map | mask | medal | mirror | mitten | mop | mug | nail | needle | net | oar | paddle | pan | pearl | pen |
    pillow | pin | pipe | plate | pot | puppet | purse | puzzle | rake | ribbon | ring | robot | rope | sack | saw |
    scarf | shawl | shell | shirt | shoe | sled | sock | spade | spoon | stamp | stick | stone | sword | teapot |
    ticket | tie | torch | toy | train | tray | truck | tube | umbrella | vase | vest | violin | wand | watch | wheel |
    whistle | wig | yoyo | zip;
cake = bagel | biscuit | bun | burger | cookie | cracker | crumble | cupcake | doughnut | dumpling | jelly | lolly |
    meatball | muffin | omelette | pancake | pasty | pie | pizza | pretzel | pudding | roll | salad | sandwich |
    sausage | scone | stew | strudel | taco | tart | torte | waffle;
pear = apple | apricot | banana | bean | beet | berry | carrot | cherry | chestnut | coconut | cucumber | date | fig |
    grape | kiwi | leek | lemon | lime | mango | melon | mushroom | nut | olive | onion | orange | papaya | peach |
    pepper | plum | potato | pumpkin | quince | radish | tomato | turnip | walnut | yam;
house = boat | bridge | cage | cart | castle | dam | den | fort | gate | house | hut | kennel | nest | raft | rocket |
    shed | ship | shop | stage | swing | tent | tower | wall | zoo;
wood = bark | bone | brass | brick | cardboard | clay | cloth | cork | felt | glass | gold | grass | hay | leather |
    mud | paper | plastic | sand | silk | stone | straw | tin | wood | wool;
paint = beads | buttons | chalk | feathers | glitter | glue | lace | leaves | nails | paint | pearls | pegs | pins |
    ribbon | rope | screws | shells | stars | string | tape | twine | wax | wire | yarn;
flour = beans | bread | butter | cheese | corn | cream | eggs | fish | flour | ham | lentils | meat | milk | noodles |
    oats | oil | peas | rice | tea | tofu | water | wheat | yeast | yoghurt;
sugar = basil | berries | bran | chives | chocolate | cinnamon | cloves | curry | dates | figs | garlic | ginger |
    herbs | honey | jam | leeks | lemons | mint | mustard | nuts | pepper | plums | raisins | sage | salt | seeds |
    spice | sugar | syrup | thyme | vanilla | vinegar;
water = broth | cocoa | coffee | honey | ink | juice | lemonade | milk | mud | rain | snow | soup | syrup | tea |
    tonic | water;
honey = balm | cotton | cream | herbs | honey | ice | leaves | milk | moss | mud | oil | snow | soap | water | wax |
    wool;
leg = back | belly | cheek | chin | ear | eye | foot | head | knee | leg | lip | neck | nose | side | toe | tooth;
topic = animals | art | bees | birds | birthdays | boats | bones | books | cars | castles | chess | clouds | dinosaurs |
    dragons | elves | fairies | farms | flowers | food | friends | games | ghosts | giants | gold | hats | holidays |
    home | insects | jokes | kings | knights | lunch | magic | maps | money | monsters | music | oceans | pirates |
    planets | poems | queens | rain | rockets | school | ships | shoes | snow | songs | space | sports | stories |
    summer | the moon | the sea | the stars | the sun | toys | trains | treasure | trees | volcanoes | winter | witches;

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
