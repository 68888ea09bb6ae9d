// The nouns of the embedded stories: names, creatures, places and things.
#pragma once

#include <string_view>

namespace stlm::detail {

inline constexpr std::string_view story_nouns = R"(
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
day = afternoon | autumn | day | evening | Friday | Monday | morning | night | Saturday | spring | summer | Sunday |
    Thursday | Tuesday | Wednesday | winter;
snow = a blizzard | a flood | a gale | a shower | a storm | darkness | fog | hail | ice | lightning | mist | rain |
    smoke | snow | thunder | wind;

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
)";

}  // namespace stlm::detail
